import { expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startChild, processIdentity } from '@offload/child-processes';
import { recordOf } from '@offload/child-processes/leftovers';
import { takeLock } from './lock.ts';

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'offload-lock-'));
  await test(folder).finally(() => rm(folder, { recursive: true }));
}

function sleeper() {
  return startChild('sleep', ['600'], { env: process.env, onLine: () => {} });
}

it('refuses a second run while the first one runs, and names its pid', () =>
  inFolder(async (folder) => {
    const { lock } = await takeLock(folder);
    await expect(takeLock(folder)).rejects.toThrow(`already running (pid ${process.pid})`);
    lock.release();
    await (await takeLock(folder)).lock.release();
  }));

it('takes over the lock of a killed run and ends its processes', () =>
  inFolder(async (folder) => {
    const orphan = await sleeper();
    const bystander = await sleeper();
    const { lock } = await takeLock(folder);
    lock.record('api', [orphan.pid]);
    await writeFile(join(folder, 'start.pid'), '999999999\nkilled\n');
    // An id that belongs to another process now:
    const processes = JSON.parse(await readFile(join(folder, 'processes.json'), 'utf8'));
    processes['worker-1'] = recordOf([bystander.pid]).map((record) => ({ ...record, identity: 'of another time' }));
    await writeFile(join(folder, 'processes.json'), JSON.stringify(processes));

    const next = await takeLock(folder);
    expect(next.leftovers).toBe(1);
    expect(await orphan.exited).toEqual({ code: null, signal: 'SIGTERM' });
    expect(processIdentity(bystander.pid)).toBeDefined();
    next.lock.release();
    await bystander.stop('SIGKILL', 0);
  }));

it('takes over a lock whose pid now belongs to another process', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'start.pid'), `${process.ppid}\nof another time\n`);
    await (await takeLock(folder)).lock.release();
  }));
