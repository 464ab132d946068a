import { expect, it } from '@jest/globals';
import { freshDatabaseUrl, freshVhost } from '@offload/spec-kit';
import { startProgram, type LogLine } from '@offload/running-system';

const changes: [what: string, change: (url: URL) => unknown, words: RegExp][] = [
  ['a password that is wrong', (url) => (url.password = 'not-this-one'), /user or password is wrong/],
  ['a virtual host that is not there', (url) => (url.pathname = '/nowhere'), /vhost "nowhere" is not there/],
];
const processes = ['api', 'worker', 'notifier'];

it.each(processes.flatMap((name) => changes.map((change) => [name, ...change] as const)))(
  'ends the %s with one log line and a code for %s',
  async (name, _what, change, words) => {
    const vhost = await freshVhost();
    const url = new URL(vhost.amqpUrl);
    change(url);
    const ports = { API_PORT: '0', WORKER_PORT: '0', NOTIFIER_PORT: '0' };
    const environment = { ...ports, DATABASE_URL: freshDatabaseUrl(), AMQP_URL: url.href, LOG_LEVEL: 'error' };
    const program = startProgram(`apps/${name}/src/main.ts`, environment);
    const { code } = await program.exited;
    await vhost.remove();
    expect(code).toBe(1);
    const last = program.log.at(-1) as LogLine;
    expect(last).toMatchObject({ level: 'fatal', code: 'broker-refused', msg: expect.stringMatching(words) });
    expect(program.log.filter(({ level }) => level === 'fatal')).toHaveLength(1);
    expect(JSON.stringify(last)).not.toContain('stack');
    expect(JSON.stringify(program.log)).not.toContain(url.password);
  },
  30_000,
);
