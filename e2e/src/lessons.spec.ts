import { execFile } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { freshVhost } from '@offload/spec-kit';
import { repository } from '@offload/running-system';

/** Runs a program of a lesson by hand. */
function lesson(name: string, env: NodeJS.ProcessEnv): Promise<{ code: unknown; said: string }> {
  const options = { cwd: repository, env: { ...process.env, NODE_OPTIONS: '', ...env } };
  return new Promise((resolve) => {
    execFile('npm', ['run', '--silent', 'example', name], options, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, said: stdout + stderr });
    });
  });
}

/** The URL of the run's broker, with a change. */
async function elsewhere(change: (url: URL) => void): Promise<string> {
  const vhost = await freshVhost();
  await vhost.remove();
  const url = new URL(vhost.amqpUrl);
  url.pathname = '/';
  change(url);
  return url.href;
}

const noBroker = new URL('amqp://127.0.0.1:1').href;
it.each([
  [
    'a virtual host that is not there',
    () => elsewhere((url) => (url.pathname = '/nowhere')),
    /vhost "nowhere" does not exist/,
  ],
  ['a wrong password', () => elsewhere((url) => (url.password = 'wrong')), /user or password is wrong/],
  ['a user that is not there', () => elsewhere((url) => (url.username = 'unknown')), /user or password is wrong/],
  ['another protocol', async () => 'http://127.0.0.1', /URL of a broker must be/],
])('ends with one line that names the fault: %s', async (_what, urlOf, words) => {
  const { code, said } = await lesson('01-hello/receive', { AMQP_URL: await urlOf() });
  expect(said).toMatch(words);
  expect(
    said
      .trim()
      .split('\n')
      .filter((line) => !line.startsWith('waiting')),
  ).toHaveLength(1);
  expect(said).toContain('check AMQP_URL');
  expect(code).toBe(1);
});

it('prints one line when no broker listens, and another when it gives up', async () => {
  const { code, said } = await lesson('01-hello/send', { AMQP_URL: noBroker });
  expect(said.trim().split('\n')).toEqual([
    expect.stringMatching(/^no connection to the broker: .*ECONNREFUSED.*trying again; check AMQP_URL/),
    expect.stringMatching(/^not sent within 10000 ms: .*ECONNREFUSED.*check AMQP_URL/),
  ]);
  expect(code).toBe(1);
}, 30_000);

it('prints in one line that `npm start` does not run', async () => {
  const { code, said } = await lesson('01-hello/send', { AMQP_URL: '', DATA_DIR: '/nowhere' });
  expect(said).toMatch(/^there is no broker: run `npm start` .*\n$/);
  expect(code).toBe(1);
});
