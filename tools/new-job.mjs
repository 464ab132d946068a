// `npm run new-job -- image.resize`: writes a working job type, to be filled with your own work.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { jobTypeName } from '@offload/jobs/definitions';

const root = join(import.meta.dirname, '..');
const [type = ''] = process.argv.slice(2);
const name = type.replace(/[.-]([a-z0-9])/g, (_, letter) => letter.toUpperCase());

const definition = `import { z } from 'zod';
import { defineJob } from '../definitions/job-definition.ts';

/** TODO: says what it does, and when to use it. */
export const ${name} = defineJob({
  type: '${type}',
  description: 'TODO: one line for people, which GET /v1/job-types shows.',
  payload: z.strictObject({ text: z.string().min(1) }),
  result: z.strictObject({ length: z.int() }),
});
`;

const handler = `import type { JobDefinitions } from '@offload/jobs/job-types';
import type { Handler } from '@offload/worker';

/** TODO: does your work. Pass \`signal\` to slow calls. */
export const ${name}: Handler<JobDefinitions['${name}']> = async ({ text }, { signal, progress }) => {
  signal.throwIfAborted();
  progress(50, 'half of it');
  return { length: text.length };
};
`;

const spec = `import { expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import { runHandler } from '@offload/testing';
import { readFileSync } from 'node:fs';
import { ${name} } from './${type}.ts';

const runnable = { definition: jobDefinitions.${name}, handler: ${name} };
const example = JSON.parse(readFileSync(new URL('../../fixtures/${type}.json', import.meta.url), 'utf8'));

it('runs its example, and reports progress', async () => {
  const run = await runHandler(runnable, example.payload);
  expect(run.result).toEqual({ length: 5 });
  expect(run.progress).toEqual([{ percent: 50, message: 'half of it' }]);
});

it('refuses an invalid payload', async () => {
  expect(await runHandler(runnable, { text: '' })).toMatchObject({ error: { code: 'invalid-payload' } });
});
`;

const example = `{ "type": "${type}", "payload": { "text": "hello" } }\n`;

const definitions = 'libs/jobs/src/job-types';
const handlers = 'apps/worker/src/handlers';
const files = {
  [`${definitions}/${type}.ts`]: definition,
  [`${handlers}/${type}.ts`]: handler,
  [`${handlers}/${type}.spec.ts`]: spec,
  [`apps/worker/fixtures/${type}.json`]: example,
};
const registries = [`${definitions}/registry.ts`, `${handlers}/index.ts`];

const refusal = fault();
if (refusal !== null) {
  process.stderr.write(`${refusal}\n`);
  process.exit(1);
}
for (const [file, text] of Object.entries(files)) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text, { flag: 'wx' });
}
for (const registry of registries) writeFileSync(join(root, registry), withLine(read(registry)));
process.stdout.write(`Written: a working job type, and a line in each of the two registries.

${Object.keys(files).join('\n')}
${registries.join('\n')}

Fill it with your work, then:
  npm test -- --testPathPatterns ${type}
  npm start
  curl -i http://127.0.0.1:3000/v1/jobs -H 'Content-Type: application/json' -d @apps/worker/fixtures/${type}.json
`);

/** @returns why this type can't be made; null if it can */
function fault() {
  const { error } = jobTypeName.safeParse(type);
  if (error) return `usage: npm run new-job -- image.resize\nA type's name ${error.issues[0].message}.`;
  const there = Object.keys(files).find((file) => existsSync(join(root, file)));
  if (there) return `${there} is there already: nothing was written`;
  const registry = registries.find((file) => read(file).includes(`{ ${name} }`));
  return registry ? `${registry} has ${name} already: nothing was written` : null;
}

function read(file) {
  return readFileSync(join(root, file), 'utf8');
}

/** Adds the type's line to the registry, in alphabetical order below the comment. */
function withLine(text) {
  const lines = text.trimEnd().split('\n');
  const isExport = (line) => line.startsWith('export ');
  const exported = [...lines.filter(isExport), `export { ${name} } from './${type}.ts';`].sort();
  return [...lines.filter((line) => !isExport(line)), ...exported, ''].join('\n');
}
