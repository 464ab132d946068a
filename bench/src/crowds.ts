import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { AppProcess } from './app-process.ts';
import type { Order, Told } from './crowd.ts';
import type { Latencies } from './latencies.ts';

/** Where browsers come from: from one address to one port there are but 28,000 connections. */
const ADDRESSES = Array.from({ length: 20 }, (_, at) => `127.0.0.${at + 2}`);
/** Connections of each crowd that are being opened. */
const AT_ONCE = 50;

/** Browsers in processes of their own, which watch at one notifier. */
export interface Crowds {
  /**
   * One browser a path.
   *
   * @returns how long it took until each had what its stream begins with, in milliseconds
   */
  open(paths: string[]): Promise<number>;
  /** Adds how long the events took that have come since the last time. @throws when a stream has ended */
  count(latencies: Latencies): Promise<void>;
  /** Closes all; resolves when the notifier has noticed. */
  close(): Promise<void>;
  /** Ends the processes. */
  end(): void;
}

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
