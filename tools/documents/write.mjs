// `npm run documents`: writes the pages, and the sections of pages, that are made from code. With --check it writes nothing,
// and fails when one differs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { configurationPage, exampleFile } from './configuration.mjs';
import { statesSection } from './lifecycle.mjs';
import { metrics, metricsPage } from './metrics.mjs';
import { pausesSection } from './retries.mjs';
import { fromSource, root } from './source.mjs';
import { settings } from './settings.mjs';

const { transitions } = await fromSource('libs/database/src/transitions/state-table.ts');
const { retryDelayMs } = await fromSource('libs/jobs/src/definitions/retry-delay.ts');
const { defaultPolicy } = await fromSource('libs/jobs/src/definitions/job-definition.ts');
const all = await settings();
const documents = {
  '.env.example': exampleFile(all),
  'docs/configuration.md': configurationPage(all),
  'docs/metrics.md': metricsPage(metrics()),
  'docs/job-lifecycle.md': withSection('docs/job-lifecycle.md', 'states', statesSection(transitions)),
  'docs/retries.md': withSection('docs/retries.md', 'pauses', pausesSection(retryDelayMs, defaultPolicy.backoff)),
};

const check = process.argv.includes('--check');
const differing = [];
for (const [file, text] of Object.entries(documents)) {
  const wanted = file.endsWith('.md') ? await formatted(file, text) : text;
  if (wanted !== read(file)) differing.push({ file, wanted });
}
for (const { file, wanted } of differing) {
  if (!check) writeFileSync(join(root, file), wanted);
  process.stdout.write(check ? `${file} differs from the code: run npm run documents\n` : `${file} written\n`);
}
process.exitCode = check && differing.length > 0 ? 1 : 0;

function read(file) {
  return existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : null;
}

/** @returns the page, with `text` between its markers of that name */
function withSection(file, name, text) {
  const [begin, end] = [`<!-- ${name}: written by \`npm run documents\` -->`, `<!-- end of ${name} -->`];
  const [head, rest] = read(file).split(begin);
  const tail = rest?.split(end)[1];
  if (tail === undefined) throw new Error(`${file} has no place for ${name}`);
  return `${head}${begin}\n\n${text}\n\n${end}${tail}`;
}

async function formatted(file, text) {
  return format(text, { ...(await resolveConfig(join(root, file))), parser: 'markdown' });
}
