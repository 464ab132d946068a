import { setTimeout as delay } from 'node:timers/promises';
import type { SystemProcess } from '../system.ts';

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
  /** the longest time in which its event loop did nothing else, and how much of that the process was at work, in milliseconds */
  silentMs: number;
  heldMs: number;
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
  const turn = await collectGarbage(api); // before figures are asked for, and others'
  await delay(QUIET_MS);
  await collectGarbage(api);
  await collectGarbage(api); // what the first has found to be finalized goes with the second
  return { ...(await readVitals(api)), ...turn };
}

export async function readVitals({ url }: Pick<SystemProcess, 'url'>): Promise<Omit<Vitals, 'silentMs' | 'heldMs'>> {
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

/** How long its event loop was held at most since the last time this was asked, or garbage was collected; in milliseconds. */
export async function longestTurn(process: SystemProcess): Promise<number> {
  return (await collectGarbage(process)).heldMs;
}

async function collectGarbage({ pid, log, line }: SystemProcess): Promise<{ heldMs: number; silentMs: number }> {
  const times = log.filter(({ msg }) => msg.startsWith('garbage collected')).length;
  process.kill(pid, 'SIGUSR2');
  const { heldMs, silentMs } = await line(({ msg }) => msg === `garbage collected ${times + 1}`);
  return { heldMs: heldMs as number, silentMs: silentMs as number };
}
