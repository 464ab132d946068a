import { expect, it } from '@jest/globals';
import { freshDatabaseUrl, freshVhost } from '@offload/spec-kit';
import { startProgram, type LogLine } from '@offload/running-system';

/** Of servers that are away. */
const away = { DATABASE_URL: 'postgresql://offload@127.0.0.1:1/offload', AMQP_URL: 'amqp://127.0.0.1:1' };

type Refusal = [what: string, setting: keyof typeof away, change: (url: URL) => unknown, words: RegExp];
const refusals: Refusal[] = [
  ['a wrong password', 'AMQP_URL', (url) => (url.password = 'not-this-one'), /user or password is wrong/],
  ['no such virtual host', 'AMQP_URL', (url) => (url.pathname = '/nowhere'), /vhost "nowhere" does not exist/],
  ['a wrong password', 'DATABASE_URL', (url) => (url.password = 'not-this-one'), /password authentication failed/],
  ['no such database', 'DATABASE_URL', (url) => (url.pathname = '/nowhere'), /database "nowhere" does not exist/],
];
const processes = ['api', 'worker', 'notifier'];

it.each(processes.flatMap((name) => refusals.map((refusal) => [name, ...refusal] as const)))(
  'ends the %s with one line and a code for %s in %s, while the other server is away',
  async (name, _what, setting, change, words) => {
    const vhost = await freshVhost();
    const url = new URL(setting === 'AMQP_URL' ? vhost.amqpUrl : freshDatabaseUrl());
    change(url);
    const ports = { API_PORT: '0', WORKER_PORT: '0', NOTIFIER_PORT: '0' };
    const environment = { ...ports, ...away, [setting]: url.href, LOG_LEVEL: 'error' };
    const program = startProgram(`apps/${name}/src/main.ts`, environment);
    const { code } = await program.exited;
    await vhost.remove();
    expect(code).toBe(1);
    const last = program.log.at(-1) as LogLine;
    expect(last).toMatchObject({ level: 'fatal', msg: expect.stringMatching(words) });
    expect(last.msg).toContain(`cannot go on with this ${setting}: `);
    expect(program.log.filter(({ level }) => level === 'fatal')).toHaveLength(1);
    expect(JSON.stringify(last)).not.toContain('stack');
    expect(JSON.stringify(program.log)).not.toContain(url.password);
  },
  30_000,
);
