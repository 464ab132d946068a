import { setTimeout as delay } from 'node:timers/promises';
import type { SystemProcess } from '@offload/running-system';

/** How a process is, by its own figures. */
export interface Vitals {
  residentBytes: number;
  /** heap and buffers in use */
  heapBytes: number;
  /** open files and sockets */
  descriptors: number;
  /** sockets, timers and requests that Node.js knows of */
  resources: number;
  /** requests that are held until their job is finished */
  waiters: number;
}

/** What a process has been through since this was last asked, or its garbage was collected. */
export interface Strain {
  /**
   * the longest time in which its event loop did nothing else, and how much of that the process was at work, in
   * milliseconds
   */
  silentMs: number;
  heldMs: number;
  /** resident at most since the process was started */
  mostResidentBytes: number;
}

/** What a process is given in its environment so that `calmVitals` can be read. */
export const collectable = {
  NODE_OPTIONS: `--import=${new URL('./collect.mjs', import.meta.url).href}`,
  MALLOC_ARENA_MAX: '1', // glibc: more keep what is free from each other, which looks like memory in use
};

/** So long nobody asks anything: what is left of connections goes, in milliseconds. */
const QUIET_MS = 1_200;

/** Those of a process that is left alone, with its garbage collected. */
export async function calmVitals(api: SystemProcess): Promise<Vitals> {
  await delay(QUIET_MS);
  await strainOf(api);
  await strainOf(api); // what the first has found to be finalized goes with the second
  return readVitals(api);
}

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

/** How long its event loop was held at most since this was last asked, in milliseconds. */
export async function longestTurn(process: SystemProcess): Promise<number> {
  return (await strainOf(process)).heldMs;
}

/** Collects the garbage of a process. @returns what it has been through before that */
export async function strainOf({ pid, log, line }: SystemProcess): Promise<Strain> {
  const times = log.filter(({ msg }) => msg.startsWith('garbage collected')).length;
  process.kill(pid, 'SIGUSR2');
  const told = await line(({ msg }) => msg === `garbage collected ${times + 1}`);
  return told as unknown as Strain;
}
