-- POSTs one body again and again: wrk ... -- <body>. Prints what came of it as one line of JSON, times in microseconds.
local request_text
local threads = {}
sent = -1 -- global: read from outside by thread:get; wrk calls request once before the load, to look at it

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  request_text = wrk.format('POST', nil, { ['Content-Type'] = 'application/json' }, args[1])
end

-- Called for each request that is written; those that are on their way when the time is up are in `sent` only.
function request()
  sent = sent + 1
  return request_text
end

function done(summary, latency, requests)
  local all = 0
  for _, thread in ipairs(threads) do
    all = all + thread:get('sent')
  end
  local e = summary.errors
  io.write(string.format(
    '\n{"sent":%d,"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"refused":%d,"errors":%d}\n',
    all, summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.status, e.connect + e.read + e.write + e.timeout
  ))
end
