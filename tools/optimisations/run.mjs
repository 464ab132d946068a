const claim = 'libs/database/src/transitions/claim-jobs.ts';
const settle = 'libs/database/src/transitions/settle-jobs.ts';
const heldJobs = 'libs/worker/src/held-jobs.ts';
const arrays = 'libs/database/src/array-literal.ts';
const acks = 'libs/messaging/src/acks.ts';

export const run = [
  {
    name: 'plain-claim',
    plain: 'the general statement claims every job; new jobs then also wait for a row that a takeover waits for',
    edits: [
      [
        claim,
        '(delivery.redelivered ? null : await claimWaiting(delivery)) ?? claimAny(delivery)',
        'claimAny(delivery)',
      ],
    ],
  },
  {
    name: 'plain-outcome',
    plain: 'the general statement ends every job',
    edits: [
      [
        settle,
        '(isPlainSuccess(settlement) ? await succeed(settlement) : null) ?? settleAny(settlement)',
        'settleAny(settlement)',
      ],
    ],
  },
  {
    name: 'acks-together',
    plain: 'each dispatch message has an acknowledgement of its own',
    edits: [
      [acks, 'void open.push(fields.deliveryTag),', 'void fields,'],
      [
        acks,
        '      waiting.push({ message, told });\n      if (waiting.length === 1) process.nextTick(flush);\n',
        `      try {
        channel.ack(message);
      } catch (error) {
        if (!(error instanceof amqp.IllegalOperationError)) throw error;
        return told(false);
      }
      told(true);
`,
      ],
    ],
  },
  {
    name: 'lazy-signals',
    plain: 'the worker makes a signal for each job',
    edits: [
      [
        'libs/worker/src/lazy-abort-controller.ts',
        '  #controller: AbortController | undefined;\n',
        '  #controller: AbortController | undefined = new AbortController();\n',
      ],
    ],
  },
  {
    name: 'held-places',
    plain: 'the dispatch messages that a worker holds are in a set',
    edits: [
      [heldJobs, 'const here: (HeldDispatch | undefined)[] = [];', 'const here = new Set<HeldDispatch>();'],
      [heldJobs, 'free.pop() ?? here.length', 'free.pop() ?? here.size'],
      [heldJobs, 'here[place] = undefined;', 'here.delete(dispatch);'],
      [heldJobs, 'here[place] = dispatch;', 'here.add(dispatch);'],
      [heldJobs, 'here.flatMap(', '[...here].flatMap('],
    ],
  },
  {
    name: 'array-literals',
    plain: 'pg writes arrays',
    edits: [
      [
        arrays,
        "`{${values.map((value) => (value === null ? 'NULL' : quoted(value))).join(',')}}`",
        '[...values] as unknown as string',
      ],
      [arrays, "`{${values.map((value) => value ?? 'NULL').join(',')}}`", '[...values] as unknown as string'],
    ],
  },
  {
    name: 'times-without-dates',
    plain: 'each time becomes a Date, and text again',
    edits: [['libs/database/src/row-types.ts', '  if (!UTC.test(text)) return', '  return']],
  },
  {
    name: 'status-by-id',
    plain: 'statements ask for the status so that an index by status can answer',
    edits: [
      [
        'libs/database/src/by-id.ts',
        "`coalesce(${job}.status::text, '') = '${status}'`",
        "`${job}.status = '${status}'`",
      ],
    ],
  },
  {
    name: 'no-sequential-scans',
    plain: 'PostgreSQL may plan sequential scans',
    edits: [['libs/database/src/open-pool.ts', "  enable_seqscan: 'off',\n", '']],
  },
  {
    name: 'small-heap-of-worker',
    plain: 'V8 decides how far the heap grows',
    edits: [['libs/worker/src/start-worker.ts', '  keepHeapSmall(33);', '']],
  },
];
