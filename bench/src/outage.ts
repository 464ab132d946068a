// `npm run outage`: publishes 1,000 messages a second while the broker is up, killed for 60 s, and up again. It shows
// the outcome of every call, and the memory. `npm run outage -- --seconds 10` is shorter.
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from '@offload/child-processes';
import { startEmbeddedRabbitmq } from '@offload/embedded-servers';
import { connect, consume, createPublisher, text, type Publisher, type PublisherOptions } from '@offload/messaging';

const RATE = 1_000; // a second
const BODY = 'x'.repeat(1_024);
const UP_MS = 5_000;
const UNSETTLED = 'calls that did not settle';
const MISSING = 'confirmed, but not in the queue';

const { seconds } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } }).values;
const downMs = Number(seconds) * 1_000;
if (!(downMs >= 1_000 && downMs <= 600_000)) throw new Error('--seconds must be a number from 1 to 600');

const dataDir = await mkdtemp(join(tmpdir(), 'offload-outage-'));
const ports = { amqpPort: await freePort(), managementPort: await freePort() };
const startBroker = () => startEmbeddedRabbitmq({ dataDir, ...ports, stopGraceMs: 0, log: () => undefined });
let broker = await startBroker();
try {
  const columns = { wait: await outage('wait'), fail: await outage('fail') };
  console.log(`Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, bodies of ${BODY.length} bytes\n`);
  console.log("| `whileAway` | 'wait' | 'fail' |\n|---|---|---|");
  for (const row of new Set([...columns.wait.keys(), ...columns.fail.keys()])) {
    console.log(`| ${row} | ${columns.wait.get(row) ?? 0} | ${columns.fail.get(row) ?? 0} |`);
  }
  process.exitCode = [...Object.values(columns)].every((column) => kept(column)) ? 0 : 1;
} finally {
  await broker.stop();
  await rm(dataDir, { recursive: true, force: true });
}

type Column = Map<string, number>;

function kept(column: Column): boolean {
  return column.get(UNSETTLED) === 0 && column.get(MISSING) === 0;
}

async function outage(whileAway: NonNullable<PublisherOptions['whileAway']>): Promise<Column> {
  const queue = whileAway;
  const connection = connect({ url: broker.amqpUrl, topology: { queues: { [queue]: {} } } });
  connection.events.on('state', () => undefined); // the outage is intended
  await connection.opened;
  const load = loadOn(createPublisher(connection, { whileAway }), queue);

  const before = memoryInUse();
  await load.run(UP_MS);
  process.kill(broker.pid, 'SIGKILL');
  await broker.exited;
  await load.run(downMs);

  const confirmedSoFar = load.confirmed.size;
  const restarting = startBroker();
  let accepting = Infinity;
  void restarting.then(() => (accepting = performance.now()));
  while (load.confirmed.size === confirmedSoFar || accepting === Infinity) await load.run(10);
  const confirmedAfter = Math.max(0, load.lastFirstConfirm(confirmedSoFar) - accepting);
  broker = await restarting;
  await load.run(UP_MS);
  await load.settled();
  const after = memoryInUse();

  const missing = new Set(load.confirmed);
  const handle = ({ messageId = '' }) => void missing.delete(messageId);
  const consumer = consume(connection, { queue, message: text, prefetch: 500, handle });
  for (const until = Date.now() + 60_000; missing.size > 0 && Date.now() < until;) await delay(50);
  await consumer.drain();
  await connection.close();

  const mib = (bytes: number) => Math.round(bytes / 1024 / 1024);
  return new Map([
    ['calls', load.calls()],
    ['confirmed', load.confirmed.size],
    ...load.failures,
    [UNSETTLED, load.pending()],
    [MISSING, missing.size],
    ['longest call, ms', Math.round(load.longestMs())],
    ['first confirm after the broker was back, ms', Math.round(confirmedAfter)],
    ['heap and buffers before, MiB', mib(before)],
    ['heap and buffers at most, MiB', mib(load.peak())],
    ['heap and buffers afterwards, MiB', mib(after)],
  ]);
}

/** Publishes at the rate, and counts the outcomes. */
function loadOn(publisher: Publisher, queue: string) {
  const confirmed = new Set<string>();
  const confirmedAt: number[] = [];
  const failures = new Map<string, number>();
  const pending = new Set<Promise<void>>();
  let calls = 0;
  let longestMs = 0;
  let peak = 0;

  function publish(): void {
    const messageId = String((calls += 1));
    const startedAt = performance.now();
    const call = publisher
      .publish(text, BODY, { queue, messageId })
      .then(
        () => {
          confirmed.add(messageId);
          confirmedAt.push(performance.now());
        },
        ({ message }: Error) => {
          const what = `rejected: ${message.replace(/:.*/, '').replace(/\d+ messages/, 'too many messages')}`;
          failures.set(what, (failures.get(what) ?? 0) + 1);
        },
      )
      .finally(() => {
        longestMs = Math.max(longestMs, performance.now() - startedAt);
        pending.delete(call);
      });
    pending.add(call);
  }

  return {
    confirmed,
    failures,
    calls: () => calls,
    pending: () => pending.size,
    longestMs: () => longestMs,
    peak: () => peak,
    lastFirstConfirm: (after: number) => confirmedAt[after] ?? Infinity,
    settled: () => Promise.race([Promise.allSettled(pending), delay(60_000, undefined, { ref: false })]),
    async run(ms: number): Promise<void> {
      const startedAt = performance.now();
      for (let sent = 0, passed = 0; passed < ms; passed = performance.now() - startedAt) {
        for (; sent < (passed * RATE) / 1_000; sent += 1) publish();
        const { heapUsed, external } = process.memoryUsage();
        peak = Math.max(peak, heapUsed + external);
        await delay(Math.min(10, ms));
      }
    },
  };
}

function memoryInUse(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
