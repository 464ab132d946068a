import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { afterEach, expect, it } from '@jest/globals';

import { processIdentity, sourceArguments } from '@offload/child-processes';
import { readRecord, type RecordedProcess } from '@offload/child-processes/leftovers';

let folder = '';
afterEach(() => rm(folder, { recursive: true }));

/** The process ids of the embedded broker, after both processes have started. */
async function processes(): Promise<number[]> {
  for (;;) {
    const [dataDir = ''] = (await readdir(folder)).filter((name) => name.startsWith('offload-broker-'));
    const recorded = (readRecord(join(folder, dataDir, 'processes.json')) ?? []) as RecordedProcess[];
    if (recorded.length === 2) return recorded.map(({ pid }) => pid);
    await delay(20);
  }
}

it('leaves no process and no file behind when its parent ends, even while the broker starts', async () => {
  folder = await mkdtemp(join(tmpdir(), 'offload-parent-'));
  const program = spawn(process.execPath, sourceArguments(join(import.meta.dirname, 'test-broker.ts')), {
    env: { ...process.env, NODE_OPTIONS: '', TEST_SERVERS: 'embedded', TMPDIR: folder },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(program, 'exit');
  program.stdin.write('["open",{}]\n["start"]\n');
  const pids = await processes();

  program.stdin.destroy(); // as the system does when the parent dies
  expect(await exited).toEqual([0, null]);
  expect(pids.map(processIdentity)).toEqual([undefined, undefined]);
  expect((await readdir(folder)).filter((name) => name.startsWith('offload-broker-'))).toEqual([]);
});
