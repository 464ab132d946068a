// Proves that the linter enforces the arrows of docs/architecture.md. It lints imports as if they stood in files of the
// projects, and fails unless each forbidden import is refused and each allowed one passes.
import { join } from 'node:path';
import { createProjectGraphAsync } from '@nx/devkit';
import { ESLint } from 'eslint';

const root = join(import.meta.dirname, '..');
const refused = [
  ['apps/api/src/app.ts', '@offload/outbound'],
  ['apps/api/src/app.ts', '@offload/spec-kit'],
  ['apps/api/src/app.ts', '@offload/spec-kit/servers'],
  ['apps/api/src/app.ts', '@offload/embedded-servers'],
  ['apps/api/src/app.ts', '@offload/running-system'],
  ['libs/running-system/src/system.ts', '@offload/database'],
  ['libs/job-messages/src/topology.ts', '@offload/database'],
  ['apps/api/src/app.ts', '../../worker/src/handlers.ts'],
  ['apps/api/src/app.ts', 'amqplib'],
  ['apps/api/src/app.ts', '@offload/jobs/job-types'],
  ['libs/worker/src/index.ts', '@offload/jobs/job-types'],
  ['apps/worker/src/main.ts', 'pg'],
  ['apps/worker/src/main.ts', '@prisma/client'],
  ['apps/notifier/src/app.ts', '@prisma/client/runtime/library'],
  ['apps/doctor/src/main.ts', '@offload/embedded-servers'],
  ['apps/doctor/src/main.ts', 'amqplib'],
  ['libs/messaging/src/index.ts', '@offload/database'],
  ['libs/messaging/src/index.ts', '@offload/jobs'],
  ['libs/messaging/src/index.ts', '@offload/jobs/events'],
  ['libs/messaging/src/index.ts', 'pg'],
  ['libs/database/src/index.ts', '@offload/messaging'],
  ['libs/database/src/index.ts', 'amqplib'],
  ['libs/jobs/src/index.ts', '@offload/process'],
  ['libs/client/src/index.ts', '@offload/http'],
  ['libs/client/src/index.ts', '@offload/jobs'],
  ['apps/worker/src/handlers/demo.echo.ts', '@offload/testing'],
  ['libs/testing/src/index.ts', '@offload/database'],
  ['libs/batcher/src/index.ts', '@offload/jobs'],
  ['libs/http/src/index.ts', '@offload/jobs'],
  ['libs/outbound/src/index.ts', '@offload/process'],
  ['apps/start/src/main.ts', '@offload/database'],
  ['examples/01-hello/send.ts', 'amqplib'],
  ['examples/01-hello/send.ts', '@offload/jobs'],
  ['examples/01-hello/send.ts', '@offload/embedded-servers'],
  ['examples/01-hello/send.ts', '@offload/child-processes/leftovers'],
  ['examples/player/footprint.ts', 'amqplib'],
  ['libs/child-processes/src/index.ts', '@offload/embedded-servers'],
];
const allowed = [
  ['proof/faults/fleet.ts', '@offload/running-system'],
  ['apps/doctor/src/look.ts', '@offload/job-messages'],
  ['apps/worker/src/main.ts', '@offload/outbound'],
  ['apps/notifier/src/main.ts', '@offload/outbound'],
  ['apps/notifier/src/main.ts', '@offload/database/webhooks'],
  ['apps/api/src/app.integration.spec.ts', '@offload/spec-kit'],
  ['apps/worker/src/handlers/demo.echo.spec.ts', '@offload/testing'],
  ['libs/testing/src/index.ts', '@offload/worker/single-attempt'],
  ['libs/client/src/job.spec.ts', '@offload/jobs'],
  ['libs/database/src/index.ts', '@offload/jobs'],
  ['libs/database/src/index.ts', '@offload/jobs/webhooks'],
  ['libs/database/src/index.ts', '@offload/batcher'],
  ['libs/messaging/src/index.ts', '@offload/batcher'],
  ['libs/messaging/src/connection.ts', 'amqplib'],
  ['libs/database/src/migrate.ts', 'pg'],
  ['examples/01-hello/send.ts', '@offload/messaging'],
  ['examples/player/own-broker.ts', '@offload/embedded-servers'],
];
const arrowRules = [
  '@nx/enforce-module-boundaries',
  '@typescript-eslint/no-restricted-imports',
  'no-restricted-syntax',
];

await createProjectGraphAsync(); // the rule reads it
const eslint = new ESLint({ cwd: root });

const wrong = [];
async function isRefused([file, specifier]) {
  const ways = [`import '${specifier}';`, `export default import('${specifier}');`];
  const results = await Promise.all(ways.map((text) => eslint.lintText(`${text}\n`, { filePath: join(root, file) })));
  const refusals = results.map(([{ messages }]) => messages.some(({ ruleId }) => arrowRules.includes(ruleId)));
  if (new Set(refusals).size > 1) wrong.push(`${file} → ${specifier} is refused in one way of importing only`);
  return refusals[0];
}

for (const arrow of refused) if (!(await isRefused(arrow))) wrong.push(`${arrow.join(' → ')} is not refused`);
for (const arrow of allowed) if (await isRefused(arrow)) wrong.push(`${arrow.join(' → ')} is refused`);
process.stdout.write(
  `${wrong.join('\n')}${wrong.length ? '\n' : ''}${refused.length + allowed.length} arrows checked, ${wrong.length} wrong\n`,
);
process.exit(wrong.length === 0 ? 0 : 1);
