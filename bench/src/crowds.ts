import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppProcess } from './app-process.ts';
import type { Order, Told } from './crowd.ts';
import type { Latencies } from './latencies.ts';

/** Source addresses of browsers: one address has only 28,000 ports for connections to one port. */
const ADDRESSES = Array.from({ length: 20 }, (_, at) => `127.0.0.${at + 2}`);
/** Connections that each crowd opens at once. */
const AT_ONCE = 50;

/** Browsers in processes of their own, at one notifier. */
export interface Crowds {
  /**
   * Opens one browser for each path.
   *
   * @returns milliseconds until each stream has begun
   */
  open(paths: string[]): Promise<number>;
  /** Adds the times of events since the last call. @throws Error when a stream has ended */
  count(latencies: Latencies): Promise<void>;
  /** Closes all browsers. Resolves when the notifier has noticed. */
  close(): Promise<void>;
  /** Ends the processes. */
  end(): void;
}

/** Starts the processes of the crowds. */
export function startCrowds(app: AppProcess, processes: number): Crowds {
  const crowds = Array.from({ length: processes }, () =>
    fork(join(import.meta.dirname, 'crowd.ts'), {
      execArgv: ['--import', 'tsx', '--conditions=@offload/source'],
      serialization: 'advanced',
    }),
  );
  const tell = (orderOf: (crowd: number) => Order): Promise<Told[]> =>
    Promise.all(crowds.map((crowd, at) => ask(crowd, orderOf(at))));

  async function untilWatchers(many: number): Promise<void> {
    while ((await app.figures())('offload_watchers') !== many) await delay(50);
  }

  return {
    async open(paths) {
      const from = performance.now();
      const port = Number(new URL(app.url).port);
      const partOf = (crowd: number) => paths.filter((_path, at) => at % processes === crowd);
      await tell((crowd) => ({
        ...{ order: 'open', port, paths: partOf(crowd) },
        ...{ addresses: ADDRESSES, atOnce: AT_ONCE },
      }));
      const took = performance.now() - from;
      await untilWatchers(paths.length);
      return took;
    },
    async count(latencies) {
      for (const { latencies: counts, broken } of await tell(() => ({ order: 'tell' }))) {
        if (broken > 0) throw new Error(`${broken} streams have ended by themselves`);
        latencies.merge(counts);
      }
    },
    async close() {
      await tell(() => ({ order: 'close' }));
      await untilWatchers(0);
    },
    end() {
      for (const crowd of crowds) if (crowd.connected) crowd.disconnect();
    },
  };
}

async function ask(crowd: ChildProcess, order: Order): Promise<Told> {
  const gone = new AbortController();
  const onExit = (): void => gone.abort();
  crowd.once('exit', onExit);
  const told = once(crowd, 'message', { signal: gone.signal }) as Promise<[Told]>;
  crowd.send(order);
  const [answer] = await told;
  crowd.off('exit', onExit);
  return answer;
}
