import { describe, expect, it } from '@jest/globals';
import { createLogger, type Logger } from './logger.ts';
import { eventually } from '@offload/spec-kit';
import { startLoop } from './loop.ts';

type Logged = { log: Logger; warned: unknown[] };

/** @param beside another loop of the same process */
function setup(round: (n: number) => Promise<number> | number, beside?: Logged) {
  const { log, warned }: Logged = beside ?? {
    log: createLogger('api', { level: 'silent', instance: 'spec' }),
    warned: [],
  };
  log.warn = ((...line: unknown[]) => void warned.push(line)) as typeof log.warn;
  let rounds = 0;
  const loop = startLoop({ name: beside ? 'other' : 'spec', round: async () => round((rounds += 1)), retryMs: 1, log });
  const reached = (count: number) => eventually(() => expect(rounds).toBeGreaterThanOrEqual(count));
  return { loop, log, warned, reached, rounds: () => rounds };
}

const HOUR_MS = 3_600_000;

describe('a loop', () => {
  it('runs rounds until it is stopped', async () => {
    const { loop, reached, rounds } = setup(() => 1);
    await reached(3);
    await loop.stop();
    const then = rounds();
    loop.wake();
    expect(rounds()).toBe(then);
  });

  it('pauses until it is woken, also by a wake during a round', async () => {
    const { loop, reached } = setup((n) => {
      if (n === 2) loop.wake();
      return HOUR_MS;
    });
    await reached(1);
    loop.wake();
    await reached(3);
    await loop.stop();
  });

  it('logs the first of several equal failures, and goes on', async () => {
    const { loop, warned, reached } = setup((n) => {
      if (n === 3) return 1;
      throw new Error(`round ${n}`);
    });
    await reached(6);
    await loop.stop();
    expect(warned).toEqual([1, 4].map((n) => [{ err: new Error(`round ${n}`) }, expect.stringContaining('spec')]));
  });

  const coded = (code: string, message = code) => Object.assign(new Error(message), { code });

  it('logs a failure of another kind, but not the same kind with another message', async () => {
    const faults = [
      coded('database-unavailable'),
      new TypeError('a defect'),
      coded('broker-unavailable', '3 messages are not yet confirmed'),
      coded('broker-unavailable', '4 messages are not yet confirmed'),
      coded('42P01'),
      coded('database-unavailable'),
    ];
    const { loop, warned, reached } = setup((n) => {
      throw faults[Math.min(n, faults.length) - 1];
    });
    await reached(8);
    await loop.stop();
    const [away, defect, broker, , sql] = faults;
    expect(warned.map((line) => (line as unknown[])[0])).toEqual([
      { code: 'database-unavailable' },
      { err: defect },
      { err: broker },
      { err: sql },
      { code: (away as { code?: string }).code },
    ]);
  });

  it('lets another loop log that the database is away when the first one fails with another error', async () => {
    let fault: Error = coded('database-unavailable');
    const first = setup(() => {
      throw fault;
    });
    await first.reached(2);
    fault = new Error('a defect');
    await first.reached(first.rounds() + 2);
    const second = setup(() => {
      throw coded('database-unavailable');
    }, first);
    await second.reached(2);
    await Promise.all([first.loop.stop(), second.loop.stop()]);
    expect(first.warned.map((line) => (line as [unknown, string])[1].split(' failed')[0])).toEqual([
      'the spec',
      'the spec',
      'the other',
    ]);
  });

  it('logs once in a process, in one line, that the database is away, and again the next time', async () => {
    let away = true;
    const round = () => {
      if (away) throw Object.assign(new Error('the database is not available'), { code: 'database-unavailable' });
      return 1;
    };
    const first = setup(round);
    const second = setup(round, first);
    for (const { reached, rounds } of [first, second, first, second]) await reached(rounds() + 2);
    away = false;
    for (const { reached, rounds } of [first, second]) await reached(rounds() + 2);
    away = true;
    for (const { reached, rounds } of [first, second]) await reached(rounds() + 2);
    await Promise.all([first.loop.stop(), second.loop.stop()]);
    const line = [
      { code: 'database-unavailable' },
      expect.stringMatching(/will try again: the database is not available$/),
    ];
    expect(first.warned).toEqual([line, line]);
  });

  it('stops after the current round', async () => {
    let finish: () => void = () => undefined;
    const { loop } = setup(() => new Promise<number>((resolve) => (finish = () => resolve(0))));
    let stopped = false;
    const stopping = loop.stop().then(() => (stopped = true));
    await Promise.resolve();
    expect(stopped).toBe(false);
    finish();
    await stopping;
  });
});
