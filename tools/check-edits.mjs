// Fails unless every edit of `npm run test:guards` and `npm run optimisations` still finds its place in the sources.
// Those two take long and run rarely, so a changed source would break them unnoticed.
//
//   npm run check:edits
import { join } from 'node:path';
import { edited } from './edit-sources.mjs';
import { guards } from './guards.mjs';
import { optimisations } from './optimisations/index.mjs';

const root = join(import.meta.dirname, '..');
const all = [
  ...guards.map(({ guard, edits }) => ({ name: guard, edits })),
  ...optimisations.map(({ name, edits }) => ({ name, edits })),
];
let wrong = 0;
for (const { name, edits } of all) {
  try {
    edited(root, edits);
  } catch (error) {
    wrong += 1;
    process.stdout.write(`FAIL  ${name}: ${error.message}\n`);
  }
}
process.stdout.write(`${all.length - wrong} passed, ${wrong} failed\n`);
process.exit(wrong === 0 ? 0 : 1);
