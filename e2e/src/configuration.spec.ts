import { expect, it } from '@jest/globals';
import { startProgram } from './program.ts';

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

it.each(['api', 'worker', 'notifier'])('keeps the %s from listening beyond loopback, and says why', async (app) => {
  const ports = { API_PORT: '0', WORKER_PORT: '0', NOTIFIER_PORT: '0' };
  const { code, output } = await startProgram(`apps/${app}/src/main.ts`, { ...urls, ...ports, HOST: '0.0.0.0' }).exited;
  expect(code).toBe(78);
  expect(output).toMatch(/refusing to listen on HOST=0\.0\.0\.0/);
  expect(output).toMatch(/AUTH=off/);
});
