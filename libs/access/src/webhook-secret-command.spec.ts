import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { newWebhookSecret, webhookSecret, webhookSecrets } from './webhook-secrets.ts';

const root = join(import.meta.dirname, '../../..');

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'webhook-secret-'))));
afterAll(() => rm(folder, { recursive: true }));

/** Runs the command in `folder`, where its `.env` is. */
async function run(args: string[] = [], env: Record<string, string> = {}) {
  const tsx = import.meta.resolve('tsx');
  const source = ['--import', tsx, '--conditions=@offload/source', join(root, 'tools/webhook-secret.mjs')];
  const basis = { PATH: process.env['PATH'] ?? '' };
  const child = spawn(process.execPath, [...source, ...args], { cwd: folder, env: { ...basis, ...env } });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (chunk) => (output[name] += String(chunk)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

/** The secrets of the printed variable. */
const lineOf = (stdout: string): string[] =>
  webhookSecrets.parse(/^WEBHOOK_SECRETS=(.*)$/m.exec(stdout)?.[1] ?? 'no line');

it('prints a secret, and the variable with it', async () => {
  const { code, stdout, stderr } = await run([], { WEBHOOK_SECRETS: '' });
  expect([code, stderr]).toEqual([0, '']);
  expect(lineOf(stdout)).toEqual([webhookSecret.parse(stdout.split('\n')[0])]);
});

it('puts it before the secrets of the environment, or else of .env, so that receivers can switch one by one', async () => {
  const [here, there] = [newWebhookSecret(), newWebhookSecret()];
  await writeFile(join(folder, '.env'), `WEBHOOK_SECRETS=${there}\n`);
  const fromFile = (await run()).stdout;
  expect(lineOf(fromFile)).toEqual([fromFile.split('\n')[0], there]);
  expect(lineOf((await run([], { WEBHOOK_SECRETS: here })).stdout)[1]).toBe(here);

  const wrong = await run([], { WEBHOOK_SECRETS: 'whsec_short' });
  expect(wrong).toMatchObject({
    code: 78,
    stdout: '',
    stderr: expect.stringMatching(/WEBHOOK_SECRETS: secret 1 must/),
  });
});

it('prints its usage', async () => {
  expect(await run(['--name', 'ci'])).toMatchObject({ code: 64, stdout: '', stderr: expect.stringMatching(/--name/) });
  expect(await run(['--help'])).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/WEBHOOK_SECRETS/),
  });
});
