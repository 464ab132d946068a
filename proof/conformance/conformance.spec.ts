import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { repository } from '@offload/running-system';
import { check } from './check.ts';
import { conformancePage, listed } from './page.ts';
import { rows } from './rows/index.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());

const titled = rows.map((row): [string, (typeof rows)[number]] => [`${row.document} ${row.section}: ${row.rule}`, row]);

it.each(titled)('%s', async (_title, row) => {
  expect(await check(row, world)).toEqual([]);
});

it('has logged no error after all of this', () => {
  const { open, guarded } = world.apis;
  const faults = [open, guarded].flatMap(({ log }) => log.filter(({ level }) => ['error', 'fatal'].includes(level)));
  expect(faults).toEqual([]);
});

it('has no rule twice', () => {
  const titles = titled.map(([title]) => title);
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
});

it('is what docs/http-conformance.md lists: after a change, run npm run conformance', async () => {
  const page = await readFile(join(repository, 'docs/http-conformance.md'), 'utf8');
  expect(listed(page)).toEqual(
    listed(
      conformancePage(
        rows.map((row) => ({ row, faults: [] })),
        [],
      ),
    ),
  );
});
