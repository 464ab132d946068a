import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** The arrows of docs/architecture.md: each scope and the scopes it may import. */
const arrows = {
  api: ['jobs', 'job-messages', 'messaging', 'database', 'process', 'http', 'access'],
  'worker-app': ['worker', 'jobs', 'process', 'outbound'],
  worker: ['jobs', 'job-messages', 'messaging', 'database', 'process', 'http', 'access', 'outbound'],
  notifier: ['jobs', 'job-messages', 'messaging', 'database', 'process', 'http', 'access', 'outbound'],
  doctor: ['jobs', 'job-messages', 'messaging', 'database', 'process'],
  start: ['child-processes', 'embedded-servers'],
  'running-system': ['jobs', 'client', 'spec-kit'],
  e2e: ['running-system', 'jobs', 'client', 'child-processes'],
  proof: ['running-system', 'worker', 'jobs', 'spec-kit'],
  examples: ['messaging', 'child-processes', 'embedded-servers', 'spec-kit'],
  bench: ['messaging', 'job-messages', 'jobs', 'database', 'child-processes', 'embedded-servers', 'spec-kit'],
  'job-messages': ['jobs', 'messaging'],
  messaging: ['batcher'],
  database: ['jobs', 'batcher'],
  batcher: [],
  'spec-kit': ['child-processes', 'embedded-servers'],
  client: [],
  react: ['client'],
  testing: ['client', 'jobs', 'outbound', 'process', 'worker'],
  jobs: [],
  process: [],
  http: ['process'],
  access: ['http', 'process'],
  outbound: [],
  'child-processes': [],
  'embedded-servers': ['child-processes'],
};

const boundaries = (extraForEveryone) => [
  'error',
  {
    allow: [],
    depConstraints: Object.entries(arrows).map(([scope, may]) => ({
      sourceTag: `scope:${scope}`,
      onlyDependOnLibsWithTags: [scope, ...may, ...extraForEveryone].map((name) => `scope:${name}`),
    })),
  },
];

const amqp = { name: 'amqplib', message: 'Only libs/messaging speaks AMQP: use @offload/messaging.' };
const sql = ['pg', '@prisma/client', '@prisma/adapter-pg'].map((name) => ({
  name,
  message: 'Only libs/database speaks SQL: use @offload/database.',
}));
const servers = ['child-processes', 'embedded-servers', 'spec-kit'].map((name) => ({
  name: `@offload/${name}`,
  message: 'A lesson needs @offload/messaging alone.',
}));
const shipped = {
  name: '@offload/jobs/job-types',
  message: 'Job types are registered by their workers: the api and the libraries know none.',
};
/** The same for `import()` and `require()`, which the rule for import declarations does not see. */
const dynamic = (paths) => {
  const names = `/^(${paths.map(({ name }) => name.replaceAll('/', '\\u002f')).join('|')})(\\u002f|$)/`;
  const message = `Only their own library may load ${paths.map(({ name }) => name).join(', ')}.`;
  return [
    'error',
    { selector: `ImportExpression[source.value=${names}]`, message },
    { selector: `CallExpression[callee.name="require"][arguments.0.value=${names}]`, message },
  ];
};
const only = (...paths) => ({
  'no-restricted-syntax': dynamic(paths),
  '@typescript-eslint/no-restricted-imports': [
    'error',
    {
      paths,
      patterns: paths.map(({ name, message }) => ({ group: [`${name}/*`], message })),
    },
  ],
});

/** What waits. A time beyond 2^31-1 ms fires at once, so that what runs has one bounded way to wait. */
const bounded = 'Use setTimer, setTicker or delay of @offload/process: they bound the time.';
const timers = {
  'no-restricted-globals': ['error', ...['setTimeout', 'setInterval'].map((name) => ({ name, message: bounded }))],
  'no-restricted-properties': [
    'error',
    { object: 'AbortSignal', property: 'timeout', message: bounded },
    { object: 'globalThis', property: 'setTimeout', message: bounded },
    { object: 'globalThis', property: 'setInterval', message: bounded },
  ],
  'no-restricted-imports': [
    'error',
    {
      paths: ['timers', 'timers/promises', 'node:timers', 'node:timers/promises'].map((name) => ({
        ...{ name, importNames: ['setTimeout', 'setInterval', 'default'], message: bounded },
      })),
    },
  ],
};

export default tseslint.config(
  { ignores: ['**/dist', '**/out-tsc', '**/generated', '**/coverage', '**/node_modules', '.nx', '.offload'] },
  ...tseslint.configs.strict,
  prettier,
  { plugins: { '@nx': nx } },
  {
    files: ['**/*.{ts,mts,cts}'],
    rules: {
      ...only(amqp, ...sql),
      '@nx/enforce-module-boundaries': boundaries([]),
      'no-console': 'error',
    },
  },
  // Other libraries, and apps/start, wait for constants, or for options that they check.
  {
    files: ['apps/**/*.ts', 'libs/{http,process,access,worker}/**/*.ts'],
    ignores: ['apps/start/**', 'libs/process/src/timers.ts', '**/*.spec.ts', '**/spec-*.ts'],
    rules: timers,
  },
  {
    files: ['apps/{api,notifier}/**/*.ts', 'libs/worker/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/spec-*.ts'],
    rules: only(amqp, ...sql, shipped),
  },
  { files: ['libs/messaging/**/*.ts', 'libs/job-messages/**/{*.spec,spec-*}.ts'], rules: only(...sql) },
  { files: ['libs/database/**/*.ts'], rules: only(amqp) },
  // The fault suite counts with SQL of its own, not with the system's.
  { files: ['proof/faults/**/*.ts', 'libs/running-system/**/*.ts'], rules: only(amqp) },
  {
    files: ['examples/*/*.ts'],
    ignores: ['examples/player/*.ts'],
    rules: { ...only(amqp, ...sql, ...servers), 'no-console': 'off' },
  },
  // It fills tables, and looks at plans, with SQL of its own.
  { files: ['bench/**/*.ts'], rules: { ...only(amqp), 'no-console': 'off' } },
  // Peers are what others make of AMQP and SQL; one of them is amqplib alone.
  {
    files: ['bench/src/peers/*.ts'],
    rules: { 'no-restricted-syntax': 'off', '@typescript-eslint/no-restricted-imports': 'off' },
  },
  // Only tests import the spec kit, and the kit for handlers.
  {
    files: ['**/*.spec.ts', '**/spec-*.ts', 'e2e/**/*.ts', 'proof/**/*.ts'],
    rules: { '@nx/enforce-module-boundaries': boundaries(['spec-kit', 'testing']) },
  },
  // The client has types of its own; its specs compare them with the schemas.
  { files: ['libs/client/src/*.spec.ts'], rules: { '@nx/enforce-module-boundaries': boundaries(['jobs']) } },
);
