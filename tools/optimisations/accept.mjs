const dispatcher = 'apps/api/src/dispatcher.ts';
const service = 'libs/http/src/http-service.ts';
const newId = 'apps/api/src/intake/new-id.ts';

export const accept = [
  {
    name: 'own-prototypes',
    plain: 'Express gives each request and response its prototype',
    edits: [[service, '    ...messagesOf(app),\n', '']],
  },
  {
    name: 'one-helmet',
    plain: 'helmet computes its headers for each answer',
    edits: [[service, 'app.use(securityHeaders());', 'app.use(helmet());']],
  },
  {
    name: 'own-send-json',
    plain: 'Express sends JSON',
    edits: [
      [
        'libs/http/src/send-json.ts',
        `  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', bytes);
  // ASCII is the same bytes in latin1, and Node.js needs a third of the memory to write it. Node.js sends no body to
  // HEAD.
  if (typeof json === 'string') response.end(json, bytes === json.length ? 'latin1' : 'utf8');
  else response.end(json);
`,
        "  response.type('json').send(json);\n",
      ],
    ],
  },
  {
    name: 'digest-when-asked',
    plain: 'the api makes a digest of each body',
    edits: [
      [
        'apps/api/src/app.ts',
        "jsonBody({ digested: (request) => request.headers['idempotency-key'] !== undefined })",
        'jsonBody()',
      ],
    ],
  },
  {
    name: 'levels-used-again',
    plain: 'the scan of a body makes a new object for each level',
    edits: [['libs/http/src/strict-json.ts', 'levels[depth] ??= {', 'levels[depth] = {']],
  },
  {
    name: 'bounded-parse',
    plain: "zod's own parse. The bound is for hostile bodies: it gains nothing, and the ratio is its cost",
    edits: [['libs/jobs/src/definitions/bounded-parse.ts', '  bound(schema);\n  return', '  return']],
  },
  {
    name: 'known-defaults',
    plain: 'the api looks for defaults in the schema of each job',
    edits: [['libs/jobs/src/definitions/stored-payload.ts', '  if (known !== undefined) return known;\n', '']],
  },
  {
    name: 'random-pool',
    plain: 'the api asks the system for the random bytes of each id',
    edits: [
      [newId, "import { randomFillSync } from 'node:crypto';", "import { randomBytes } from 'node:crypto';"],
      [newId, '  if (used === pool.length) {\n    randomFillSync(pool);\n    used = 0;\n  }\n', ''],
      [
        newId,
        'const random = pool.subarray(used, used + BYTES);\n  used += BYTES;',
        'const random = randomBytes(BYTES);',
      ],
    ],
  },
  {
    name: 'no-key-without-returns',
    plain: 'each confirm looks for a return, even if there is none',
    edits: [
      ['libs/messaging/src/confirms.ts', '    if (returned.size === 0) return undefined; // the common case\n', ''],
    ],
  },
  {
    name: 'events-beside-dispatches',
    plain: 'events have a channel of their own',
    edits: [
      [
        dispatcher,
        'return isSilent(lane) || lane.ids.size >= mostDispatches ? publishAnyEvent : lane.publishEvent;',
        'return publishAnyEvent;',
      ],
    ],
  },
  {
    name: 'events-together',
    plain: 'each event is a message',
    edits: [
      [
        'libs/messaging/src/list-publisher.ts',
        `        const outcome = await sendTogether(written);
        if (outcome.sent) return;
        if (outcome.alone || !(outcome.error instanceof PublishRefusedError)) throw outcome.error;
`,
        '',
      ],
    ],
  },
  {
    name: 'write-together',
    plain: 'each frame is a system call',
    edits: [
      [
        'libs/messaging/src/connection.ts',
        '    writeTogether((opening.connection as unknown as { stream: Socket }).stream);\n',
        '',
      ],
    ],
  },
  {
    name: 'ends-only',
    plain: 'apis receive every event, and drop most',
    edits: [
      [
        'apps/api/src/main.ts',
        '  exchange: exchanges.eventsByName,\n  routingKeys: endings,\n',
        '  exchange: exchanges.events,\n',
      ],
    ],
  },
  {
    name: 'confirms-gather',
    plain: 'a confirmed dispatch message leaves the outbox at once',
    edits: [['libs/database/src/outbox.ts', 'gatherMs: 20, ', '']],
  },
  {
    name: 'no-foreign-key',
    plain: 'a foreign key binds the outbox to its jobs',
    edits: [
      [
        'libs/database/prisma/migrations/20261121230000_hot_paths/migration.sql',
        'ALTER TABLE "outbox" DROP CONSTRAINT "outbox_job_id_fkey";',
        '',
      ],
    ],
  },
  {
    name: 'shared-statements',
    plain: 'each job, claim, outcome and confirmed dispatch message has a statement of its own',
    edits: [
      [
        'libs/database/src/share-statement.ts',
        'return batch((items: Item[]) => orUnavailable(() => run(items)), { ...options, slowMs: SLOW_MS, isAway, isHeldUp });',
        'return async (item) => (await orUnavailable(() => run([item])))[0] as Outcome;',
      ],
    ],
  },
  {
    name: 'small-heap-of-api',
    plain: 'V8 decides how far the heap grows',
    edits: [['apps/api/src/main.ts', 'keepHeapSmall(100);', '']],
  },
];
