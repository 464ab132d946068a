import { expect, it, jest } from '@jest/globals';

import type { Exit } from '@offload/child-processes';
import { createSupervisor, type RunningService, type Service } from './supervisor.ts';

const KILLED: Exit = { code: null, signal: 'SIGKILL' };

function setup(options: { firstPauseMs?: number } = {}) {
  const log: string[] = [];
  let onMisconfigured: (service: string) => void = () => {};
  const misconfiguration = new Promise<string>((resolve) => (onMisconfigured = resolve));
  const onProcesses = jest.fn();
  const supervisor = createSupervisor({
    firstPauseMs: 1,
    longestPauseMs: 4,
    ...options,
    log: (service, line) => log.push(`${service} ${line}`),
    onProcesses,
    onMisconfigured,
  });
  return { supervisor, log, misconfiguration, onProcesses };
}

/** A service whose runs the test ends. `started` resolves with the n-th run. */
function service(failures: Error[] = []) {
  const runs: { exit: (exit: Exit) => void }[] = [];
  let wake = (): void => {};
  const it: Service = {
    name: 'api',
    async start(): Promise<RunningService> {
      const failure = runs.length > 0 && failures.shift();
      if (failure) throw failure;
      let exit: (exit: Exit) => void = () => {};
      const exited = new Promise<Exit>((resolve) => (exit = resolve));
      runs.push({ exit });
      wake();
      return { pids: [runs.length], exited, stop: async () => exit({ code: 0, signal: null }) };
    },
  };
  async function run(number: number) {
    while (runs.length < number) await new Promise<void>((resolve) => (wake = resolve));
    return runs[number - 1] as { exit: (exit: Exit) => void };
  }
  return { service: it, run, runs };
}

it('starts a crashed service again, after a pause that doubles up to the longest', async () => {
  const { supervisor, log, onProcesses } = setup();
  const { service: api, run } = service([new Error('no port')]);
  await supervisor.keep(api);
  for (let number = 1; number <= 3; number++) (await run(number)).exit(KILLED);
  await run(4);
  await supervisor.stop();

  expect(log).toEqual([
    'api ended unexpectedly (signal SIGKILL), starting again in 1 ms',
    'api Error: no port\nstarting again in 2 ms',
    'api is running again',
    'api ended unexpectedly (signal SIGKILL), starting again in 4 ms',
    'api is running again',
    'api ended unexpectedly (signal SIGKILL), starting again in 4 ms',
    'api is running again',
  ]);
  expect(onProcesses.mock.calls.slice(0, 3)).toEqual([
    ['api', [1]],
    ['api', []],
    ['api', []],
  ]);
  expect(onProcesses).toHaveBeenLastCalledWith('api', []);
});

it('logs each crash of a service before it is ready, with its exit and its last lines', async () => {
  const { supervisor, log } = setup();
  const ends: ((exit: Exit) => void)[] = [];
  let beReady = (): void => {};
  let wake = (): void => {};
  const start = async (): Promise<RunningService> => {
    const ready = new Promise<void>((resolve) => (beReady = resolve));
    const exited = new Promise<Exit>((resolve) => ends.push(resolve));
    wake();
    const tail = (): string => 'Error: no such column\n    at work (worker.ts:1)';
    return { pids: [1], ready, exited, tail, stop: async () => ends.at(-1)?.({ code: 0, signal: null }) };
  };
  const runOf = async (number: number) => {
    while (ends.length < number) await new Promise<void>((resolve) => (wake = resolve));
    return ends[number - 1] as (exit: Exit) => void;
  };
  await supervisor.keep({ name: 'worker', start });
  for (let number = 1; number <= 3; number++) (await runOf(number))({ code: 1, signal: null });
  const last = await runOf(4);
  expect(log.join('\n')).not.toMatch('is running again');
  beReady();
  await new Promise(setImmediate);
  last(KILLED);
  await runOf(5);
  await supervisor.stop();

  const said = '; its last lines:\n  Error: no such column\n      at work (worker.ts:1)';
  expect(log).toEqual([
    `worker crashed before it was ready (code 1), starting again in 1 ms${said}`,
    `worker crashed before it was ready (code 1, 2 times in a row), starting again in 2 ms${said}`,
    `worker crashed before it was ready (code 1, 3 times in a row), starting again in 4 ms${said}`,
    'worker is running again',
    'worker ended unexpectedly (signal SIGKILL), starting again in 4 ms',
  ]);
});

it('does not restart a service that refuses its configuration', async () => {
  const { supervisor, misconfiguration } = setup();
  const { service: api, run, runs } = service();
  await supervisor.keep(api);
  (await run(1)).exit({ code: 78, signal: null });
  expect(await misconfiguration).toBe('api');
  await supervisor.stop();
  expect(runs).toHaveLength(1);
});

it('stops at once, also while a service pauses or is starting', async () => {
  const { supervisor, log } = setup({ firstPauseMs: 3_600_000 });
  const { service: api, run } = service();
  await supervisor.keep(api);
  (await run(1)).exit(KILLED);
  const starting = supervisor.keep({
    name: 'rabbitmq',
    start: (abort) => new Promise((_, reject) => abort.addEventListener('abort', () => reject(abort.reason))),
  });
  starting.catch(() => {}); // it rejects before the line that awaits it
  await supervisor.stop();
  await expect(starting).rejects.toThrow('The system is stopping.');
  await expect(supervisor.keep(api)).rejects.toThrow('The system is stopping.');
  expect(log).not.toContain('api is running again');
});

it('restarts a service at once, in good order and without logging a crash', async () => {
  const { supervisor, log } = setup({ firstPauseMs: 3_600_000 });
  const { service: api, run, runs } = service();
  await supervisor.keep(api);
  await supervisor.restart('api');
  await run(2);
  await supervisor.stop();
  expect(runs).toHaveLength(2);
  expect(log).toEqual(['api is running again']);
});

it('restarts a service that pauses after a crash, and begins with the first pause again', async () => {
  const { supervisor, log } = setup({ firstPauseMs: 3_600_000 });
  const { service: api, run } = service();
  await supervisor.keep(api);
  (await run(1)).exit(KILLED);
  await new Promise(setImmediate);
  await supervisor.restart('api');
  (await run(2)).exit(KILLED);
  await new Promise(setImmediate);
  await supervisor.stop();
  const crash = 'api ended unexpectedly (signal SIGKILL), starting again in 3600000 ms';
  expect(log).toEqual([crash, 'api is running again', crash]);
});

it('restarts a service whose sources change while it starts', async () => {
  const { supervisor } = setup();
  const { service: api, run, runs } = service();
  let begin = (): void => {};
  const starting = new Promise<void>((resolve) => (begin = resolve));
  const slow: Service = { name: 'api', start: async (abort) => (await starting, api.start(abort)) };
  const kept = supervisor.keep(slow);
  await supervisor.restart('api');
  begin();
  await kept;
  await run(2);
  await supervisor.stop();
  expect(runs).toHaveLength(2);
});
