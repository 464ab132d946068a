const runJob = 'libs/worker/src/run-job.ts';
const serialized = 'libs/jobs/src/job/serialized-job.ts';

export const batch = [
  {
    name: 'serialized-once',
    plain: 'a job is written as JSON for its event, and again for its answer',
    edits: [
      [serialized, 'return (this.#json ??= this.#write());', 'return this.#write();'],
      [serialized, 'this.#payload ?? JSON.stringify(payload)', 'JSON.stringify(payload)'],
      [serialized, 'this.#result ?? JSON.stringify(result ?? null)', 'JSON.stringify(result ?? null)'],
    ],
  },
  {
    name: 'headers-used-again',
    plain: 'each message has an object of headers of its own',
    edits: [
      [
        'libs/messaging/src/message.ts',
        '(versionHeaders[kind.version] ??= Object.freeze({ [VERSION_HEADER]: kind.version }))',
        '{ [VERSION_HEADER]: kind.version }',
      ],
    ],
  },
  {
    name: 'a-thousand-events',
    plain: 'at most two hundred unconfirmed events',
    edits: [
      [
        'libs/messaging/src/list-publisher.ts',
        'maxItems: z.int().min(1).default(1_000)',
        'maxItems: z.int().min(1).default(200)',
      ],
    ],
  },
];

export const pickUp = [
  {
    name: 'dispatch-before-answer',
    plain: 'the api makes the answer before the dispatch message leaves',
    edits: [
      [
        'apps/api/src/intake/intake.ts',
        '      if (storing === 1 && taken.some(isDispatched)) await whenWritten();\n',
        '',
      ],
    ],
  },
  {
    name: 'handler-before-event',
    plain: 'the worker announces a job before it calls the handler',
    edits: [
      [
        runJob,
        '  const running = outcomeOf(',
        '  publishEventInPassing(claim.serialized, parts);\n  const running = outcomeOf(',
      ],
      [
        runJob,
        '  publishEventInPassing(claim.serialized, parts); // after the start of the handler, which must not wait for it\n',
        '',
      ],
    ],
  },
];

export const start = [
  {
    name: 'lazy-undici',
    plain: 'undici is loaded at the start',
    edits: [
      [
        'libs/outbound/src/undici.ts',
        'let loaded: typeof Undici | undefined;',
        "let loaded: typeof Undici | undefined = createRequire(import.meta.url)('undici') as typeof Undici;",
      ],
    ],
  },
  {
    name: 'lazy-prisma',
    plain: 'Prisma is loaded at the start',
    edits: [
      [
        'libs/database/src/open-prisma.ts',
        "import { setImmediate } from 'node:timers/promises';\n",
        "import { setImmediate } from 'node:timers/promises';\nimport '@prisma/adapter-pg';\nimport './generated/prisma/client.ts';\n",
      ],
    ],
  },
];
