import { describe, expect, it } from '@jest/globals';
import { passwords, render, variables } from './spec-definitions.ts';

describe('render-definitions', () => {
  it('names everything that is wrong, and no password', () => {
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

  it('writes hashes, each with a salt of its own, and no password', () => {
    const { stdout } = render({ ...variables, RABBITMQ_WORKER_PASSWORD: passwords.api });
    expect(stdout).not.toMatch(/p%40ss|p@ss/);
    const { users } = JSON.parse(stdout) as { users: { password_hash: string }[] };
    expect(new Set(users.map(({ password_hash: hash }) => hash)).size).toBe(4);
  });
});
