// `npm run documents`: writes the pages that are made from code. With --check it writes nothing, and fails when one differs.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { configurationPage, exampleFile } from './configuration.mjs';
import { settings } from './settings.mjs';

const root = join(import.meta.dirname, '../..');
const read = (file) => readFileSync(join(root, file), 'utf8');

const all = await settings();
const documents = {
  '.env.example': exampleFile(all),
  'docs/configuration.md': configurationPage(all),
};

const differ = [];
for (const [file, text] of Object.entries(documents)) {
  const isPage = file.endsWith('.md');
  const options = await resolveConfig(join(root, file));
  const wanted = isPage ? await format(text, { ...options, parser: 'markdown' }) : text;
  if (wanted === read(file)) continue;
  differ.push(file);
  if (!process.argv.includes('--check')) writeFileSync(join(root, file), wanted);
}
for (const file of differ)
  process.stdout.write(
    `${file} ${process.argv.includes('--check') ? 'differs from the code: npm run documents' : 'written'}\n`,
  );
process.exitCode = process.argv.includes('--check') && differ.length > 0 ? 1 : 0;
