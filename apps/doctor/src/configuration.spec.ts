import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfiguration } from './configuration.ts';

const own = { DATABASE_URL: 'postgresql://a:secret@own/offload', AMQP_URL: 'amqp://a:secret@own' };
const left = { DATABASE_URL: 'postgresql://a:secret@left/offload', AMQP_URL: 'amqp://a:secret@left', QUEUES: 'a,b' };

let root: string;
beforeEach(async () => void (root = await mkdtemp(join(tmpdir(), 'offload-doctor-'))));
afterEach(() => rm(root, { recursive: true }));

async function leave(folder: string, servers: object | string = left): Promise<string> {
  await mkdir(join(root, folder), { recursive: true });
  const file = join(root, folder, 'servers.json');
  await writeFile(file, typeof servers === 'string' ? servers : JSON.stringify(servers));
  return file;
}

it('uses the given variables, and no other source then', async () => {
  await leave('.offload');
  expect(readConfiguration(own, root)).toEqual({ ...own, QUEUES: ['default'], serversFile: null });
});

it('reads variables that are not set from .env', async () => {
  await writeFile(join(root, '.env'), `AMQP_URL=${own.AMQP_URL}\nQUEUES=mail\nDATABASE_URL=postgresql://elsewhere/x`);
  const config = readConfiguration({ DATABASE_URL: own.DATABASE_URL }, root);
  expect(config).toEqual({ ...own, QUEUES: ['mail'], serversFile: null });
});

it('finds the servers of a running `npm start`, in its folder', async () => {
  const found = { DATABASE_URL: left.DATABASE_URL, AMQP_URL: left.AMQP_URL, QUEUES: ['a', 'b'] };
  expect(readConfiguration({}, root)).toHaveProperty('faults');
  const serversFile = await leave('.offload');
  expect(readConfiguration({}, root)).toEqual({ ...found, serversFile });
  const elsewhere = await leave('elsewhere');
  const asked = readConfiguration({ DATA_DIR: 'elsewhere', QUEUES: 'c', AMQP_URL: left.AMQP_URL }, root);
  expect(asked).toEqual({ ...found, QUEUES: ['c'], serversFile: elsewhere });
});

it("does not combine one system's database with another's broker", async () => {
  await leave('.offload');
  expect(readConfiguration({ DATABASE_URL: own.DATABASE_URL }, root)).toEqual({
    faults: expect.stringMatching(/AMQP_URL is not set[^]*Run it beside `npm start`.*docker compose run/),
  });
});

it('ignores a file that is not an object of texts', async () => {
  await leave('.offload', '{ "DATABASE_URL": ');
  expect(readConfiguration({}, root)).toHaveProperty('faults');
});

it('names the fault, and no password', () => {
  const { faults } = readConfiguration({ ...own, QUEUES: 'dead' }, root) as { faults: string };
  expect(faults).toMatch(/^The configuration is wrong:\n {2}QUEUES=dead: must not be "dead"/);
  expect(faults).not.toContain('secret');
});
