import { expect, it } from '@jest/globals';
import { startProgram, startSystem } from '@offload/running-system';

const urls = { DATABASE_URL: 'postgresql://offload@127.0.0.1:1/offload', AMQP_URL: 'amqp://127.0.0.1:1' };

it.each(['api', 'worker', 'notifier'])('names every wrong variable of the %s and exits with code 78', async (app) => {
  const wrong = { AMQP_URL: 'http://guest:secret@rabbit', LOG_LEVEL: 'loud', DATABASE_URL: '' };
  const { code, output } = await startProgram(`apps/${app}/src/main.ts`, { ...urls, ...wrong }).exited;
  expect(code).toBe(78);
  expect(output).toMatch(/AMQP_URL: must be an amqp:/);
  expect(output).toMatch(/LOG_LEVEL=loud: /);
  expect(output).toMatch(/DATABASE_URL is not set/);
  expect(output).not.toContain('secret');
});

it.each(['api', 'worker', 'notifier'])(
  'keeps the %s from listening beyond loopback, and logs the reason',
  async (app) => {
    const ports = { API_PORT: '0', WORKER_PORT: '0', NOTIFIER_PORT: '0' };
    const { code, output } = await startProgram(`apps/${app}/src/main.ts`, { ...urls, ...ports, HOST: '0.0.0.0' })
      .exited;
    expect(code).toBe(78);
    expect(output).toMatch(/refusing to listen on HOST=0\.0\.0\.0/);
    expect(output).toMatch(/AUTH=off/);
  },
);

it('logs at its start which queues have no worker, and whether priorities work', async () => {
  const system = await startSystem();
  try {
    const env = { QUEUES: 'mail', MAX_BACKLOG: '1000,mial=5' };
    const [api, worker] = await Promise.all([system.startApi(env), system.startWorker({ QUEUES: 'mail' })]);
    const warned = api.log.filter(({ level }) => level === 'warn').map(({ msg }) => msg);
    expect(warned).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^jobs of type demo\.sleep are refused .* QUEUES does not name their own, "default"$/),
        'MAX_BACKLOG has a bound for the queue "mial", which QUEUES does not name',
      ]),
    );
    const { priorities } = (await (await fetch(`${api.url}/v1/queues`)).json()) as { priorities: boolean };
    expect(warned.includes('priorities of jobs are ignored: RabbitMQ has them from 4.0 on')).toBe(!priorities);
    const elsewhere = await worker.line(({ msg }) => msg === 'job types whose own queue is not in QUEUES');
    expect(elsewhere).toMatchObject({ types: expect.arrayContaining(['demo.sleep']) });
  } finally {
    await system.stop();
  }
}, 60_000);
