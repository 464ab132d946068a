import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** The arrows of docs/architecture.md: each scope and the scopes it may import. */
const arrows = {
  api: ['contracts', 'messaging', 'database', 'runtime'],
  worker: ['contracts', 'messaging', 'database', 'runtime', 'outbound'],
  notifier: ['contracts', 'messaging', 'database', 'runtime'],
  e2e: ['contracts'],
  messaging: [],
  database: ['contracts'],
  testing: ['infrastructure'],
  contracts: [],
  runtime: [],
  outbound: [],
  infrastructure: [],
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
const only = (...paths) => ({
  '@typescript-eslint/no-restricted-imports': [
    'error',
    {
      paths,
      patterns: paths.map(({ name, message }) => ({ group: [`${name}/*`], message })),
    },
  ],
});

export default tseslint.config(
  { ignores: ['**/dist', '**/out-tsc', '**/generated', '**/coverage', '**/node_modules', '.nx', '.offload'] },
  ...tseslint.configs.strict,
  prettier,
  { plugins: { '@nx': nx } },
  {
    files: ['**/*.ts'],
    rules: {
      ...only(amqp, ...sql),
      '@nx/enforce-module-boundaries': boundaries([]),
      'no-console': 'error',
    },
  },
  { files: ['libs/messaging/**/*.ts'], rules: only(...sql) },
  { files: ['libs/database/**/*.ts'], rules: only(amqp) },
  // Only tests import testing.
  { files: ['**/*.spec.ts', 'e2e/**/*.ts'], rules: { '@nx/enforce-module-boundaries': boundaries(['testing']) } },
);
