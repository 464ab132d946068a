import { describe, expect, it } from '@jest/globals';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { passwords, render, variables } from './spec-definitions.ts';

describe('render-definitions', () => {
  it('names each wrong variable, and no password', () => {
    const { status, stdout, stderr } = render({
      ...variables,
      QUEUES: 'default,events,A',
      RABBITMQ_API_PASSWORD: '',
      RABBITMQ_WORKER_PASSWORD: 'p@ss',
    });
    expect([status, stdout]).toEqual([78, '']);
    expect(stderr.match(/(?<=^ {2})\w+( is not set)?/gm)).toEqual([
      'QUEUES',
      'QUEUES',
      'RABBITMQ_API_PASSWORD is not set',
      'RABBITMQ_WORKER_PASSWORD',
    ]);
    expect(stderr).not.toContain('p@ss');
  });

  it('generates a missing operator password, and keeps it for the next run', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'offload-definitions-'));
    const [file, kept] = [join(folder, 'definitions.json'), join(folder, 'operator-password')];
    const unset = { ...variables, RABBITMQ_OPERATOR_PASSWORD: '' };
    expect(render(unset, file).status).toBe(0);
    const password = await readFile(kept, 'utf8');
    expect(password).toMatch(/^[\w-]{32}\n$/);
    expect((await stat(kept)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain(password.trim());
    expect(render(unset, file).status).toBe(0);
    expect(await readFile(kept, 'utf8')).toBe(password);
    expect(render(unset).stderr).toContain('RABBITMQ_OPERATOR_PASSWORD is not set'); // standard output keeps no password
    await rm(folder, { recursive: true });
  });

  it('writes hashes, each with its own salt, and no password', () => {
    const { stdout } = render({ ...variables, RABBITMQ_WORKER_PASSWORD: passwords.api });
    expect(stdout).not.toMatch(/p%40ss|p@ss/);
    const { users } = JSON.parse(stdout) as { users: { password_hash: string }[] };
    expect(new Set(users.map(({ password_hash: hash }) => hash)).size).toBe(5);
  });
});
