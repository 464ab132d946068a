// `npm run documents`: writes the pages that are made from code. With --check it writes nothing, and fails when one differs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { configurationPage, exampleFile } from './configuration.mjs';
import { metrics, metricsPage } from './metrics.mjs';
import { settings } from './settings.mjs';

const root = join(import.meta.dirname, '../..');
const read = (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : null);

const all = await settings();
const documents = {
  '.env.example': exampleFile(all),
  'docs/configuration.md': configurationPage(all),
  'docs/metrics.md': metricsPage(metrics()),
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

async function formatted(file, text) {
  return format(text, { ...(await resolveConfig(join(root, file))), parser: 'markdown' });
}
