import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { apiKeys, hashOf, newApiKey } from './api-keys.ts';

const root = join(import.meta.dirname, '../../..');

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'api-key-'))));
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command in `folder`, where its `.env` is. */
async function run(args: string[], env: Record<string, string> = {}) {
  const tsx = import.meta.resolve('tsx');
  const source = ['--import', tsx, '--conditions=@offload/source', join(root, 'tools/api-key.mjs')];
  const basis = { PATH: process.env['PATH'] ?? '' };
  const child = spawn(process.execPath, [...source, ...args], { cwd: folder, env: { ...basis, ...env } });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk) => (output[name] += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** The printed key, and the value of the printed variable. */
function printed(stdout: string): { key: string; line: string } {
  const keys = stdout.match(/ofl_\S+/g) ?? [];
  expect(keys).toHaveLength(1);
  return { key: String(keys[0]), line: /^API_KEYS=(.*)$/m.exec(stdout)?.[1] ?? '' };
}

it('prints a key, and the variable with its hash', async () => {
  const { code, stdout, stderr } = await run(['--name', 'ci', '--scopes', 'submit,read'], { API_KEYS: '' });
  expect([code, stderr]).toEqual([0, '']);
  const { key, line } = printed(stdout);
  expect(line).toBe(`ci:submit+read:${hashOf(key).toString('hex')}`);
  expect(stdout).toMatch(/stored nowhere/);
});

it('adds it to the keys of the environment, or else of .env', async () => {
  const [here, there] = [newApiKey('here', ['read']), newApiKey('there', ['read'])];
  await writeFile(join(folder, '.env'), `API_KEYS=${there.entry}\n`);
  const args = ['--name', 'ci', '--scopes', 'manage'];
  const fromFile = printed((await run(args)).stdout).line;
  expect(apiKeys.parse(fromFile).map(({ name }) => name)).toEqual(['there', 'ci']);
  const fromEnvironment = printed((await run(args, { API_KEYS: here.entry })).stdout).line;
  expect(apiKeys.parse(fromEnvironment).map(({ name }) => name)).toEqual(['here', 'ci']);

  const taken = await run(['--name', 'there', '--scopes', 'manage']);
  expect(taken).toMatchObject({
    code: 78,
    stdout: '',
    stderr: expect.stringMatching(/an earlier entry has this name/),
  });
});

it('prints its usage', async () => {
  const wrong: [args: string[], fault: RegExp][] = [
    [[], /--name is missing/],
    [['--name', 'ci'], /--scopes is missing/],
    [['--name', 'CI', '--scopes', 'read'], /a name has/],
    [['--name', 'ci', '--scopes', 'read,write'], /scopes are one or more of submit, read, manage/],
    [['--name', 'ci', '--scopes', 'read', '--force'], /--force/],
    [['ci'], /ci/],
  ];
  const outcomes = await Promise.all(wrong.map(async ([args, fault]) => ({ fault, ...(await run(args)) })));
  for (const { fault, code, stdout, stderr } of outcomes) {
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr.split('\n')[0]).toMatch(fault);
    expect(stderr).toMatch(/--scopes SCOPE/);
  }
  expect(await run(['--help'])).toMatchObject({ code: 0, stderr: '' });
});
