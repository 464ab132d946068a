import { setTimeout as delay } from 'node:timers/promises';
import type { SystemProcess } from '@offload/running-system';

/** The state of a process by its own metrics. */
export interface Vitals {
  residentBytes: number;
  /** Bytes of heap and buffers in use. */
  heapBytes: number;
  /** Open files and sockets. */
  descriptors: number;
  /** Sockets, timers and requests of Node.js. */
  resources: number;
  /** Requests that wait until their job is finished. */
  waiters: number;
}

/** The strain of a process since the last report or garbage collection. */
export interface Strain {
  /**
   * Longest time in which the event loop was blocked, in milliseconds. `heldMs` counts only CPU time of the process.
   */
  silentMs: number;
  heldMs: number;
  /** Largest resident memory since the start of the process, in bytes. */
  mostResidentBytes: number;
}

/** Variables that a process needs for `calmVitals`. */
export const collectable = {
  NODE_OPTIONS: `--import=${new URL('./collect.mjs', import.meta.url).href}`,
  MALLOC_ARENA_MAX: '1', // glibc: more keep what is free from each other, which looks like memory in use
};

/** Milliseconds without requests, after which the rest of connections is gone. */
const QUIET_MS = 1_200;

/** The vitals of an idle process after a garbage collection. */
export async function calmVitals(api: SystemProcess): Promise<Vitals> {
  await delay(QUIET_MS);
  await strainOf(api);
  await strainOf(api); // the second collection removes finalized objects
  return readVitals(api);
}

/** Reads the vitals of a process. */
export async function readVitals({ url }: Pick<SystemProcess, 'url'>): Promise<Vitals> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const figure = (name: string): number => {
    const line = text.split('\n').find((each) => each.startsWith(`${name} `));
    return line === undefined ? NaN : Number(line.slice(name.length + 1));
  };
  return {
    residentBytes: figure('process_resident_memory_bytes'),
    heapBytes: figure('nodejs_heap_size_used_bytes') + figure('nodejs_external_memory_bytes'),
    descriptors: figure('process_open_fds'),
    resources: figure('nodejs_active_resources_total'),
    waiters: figure('offload_waiters'),
  };
}

/** Longest time that the event loop was blocked since the last call, in milliseconds. */
export async function longestTurn(process: SystemProcess): Promise<number> {
  return (await strainOf(process)).heldMs;
}

/** Collects the garbage of a process. @returns its strain before */
export async function strainOf({ pid, log, line }: SystemProcess): Promise<Strain> {
  const times = log.filter(({ msg }) => msg.startsWith('garbage collected')).length;
  process.kill(pid, 'SIGUSR2');
  const told = await line(({ msg }) => msg === `garbage collected ${times + 1}`);
  return told as unknown as Strain;
}
