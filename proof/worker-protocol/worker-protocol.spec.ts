import { join } from 'node:path';
import { beforeAll, expect, it } from '@jest/globals';
import { repository } from '@offload/running-system';
import { findPython } from '@offload/spec-kit/servers';
import type { WorkerUnderTest } from './ground.ts';
import { checks, prove } from './prove.ts';

const INSTALL_MS = 300_000;
const ALL_MS = 120_000;

let python: string;
beforeAll(async () => {
  python = await findPython((line) => process.stderr.write(`${line}\n`));
}, INSTALL_MS);

/** By check, what is not kept; null where it is. */
async function faultsOf(worker: WorkerUnderTest, only?: string[]): Promise<Record<string, string | null>> {
  const verdicts = await prove(worker, only);
  return Object.fromEntries(verdicts.map(({ check, fault }) => [check.name, fault]));
}
const everything = Object.fromEntries(checks.map(({ name }) => [name, null]));

it(
  'passes the worker in Python',
  async () => {
    const command = [python, join(repository, 'examples/08-python-worker/worker.py')];
    expect(await faultsOf({ command })).toEqual(everything);
  },
  ALL_MS,
);

it(
  'passes the worker of Offload',
  async () => {
    const command = [process.execPath, join(repository, 'apps/worker/dist/main.js')];
    expect(await faultsOf({ command, isOwn: true })).toEqual(everything);
  },
  ALL_MS,
);

it(
  'fails a worker that acknowledges too early, says nothing of what it holds, or writes late',
  async () => {
    const bad = (kind: string) => [python, join(import.meta.dirname, 'bad_worker.py'), kind];
    const [early, silent, late] = await Promise.all([
      faultsOf({ command: bad('AcknowledgesEarly') }, ['stored-first']),
      faultsOf({ command: bad('HoldsItsTongue') }, ['holdings', 'cancel']),
      faultsOf({ command: bad('WritesLate') }, ['fenced']),
    ]);
    expect(early).toEqual({ 'stored-first': expect.stringMatching(/acknowledged before the outcome was stored/) });
    expect(silent).toEqual({
      holdings: expect.stringMatching(/says that it holds the job: it is not/),
      cancel: expect.stringMatching(/is cancelled: it is not/),
    });
    expect(late).toEqual({ fenced: expect.stringMatching(/nothing is said to the broker about the ring/) });
  },
  ALL_MS,
);

it('knows its checks by name', async () => {
  await expect(prove({ command: [] }, ['nothing'])).rejects.toThrow('there is no check nothing');
});
