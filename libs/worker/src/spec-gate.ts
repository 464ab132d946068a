import { setEnvironmentData } from 'node:worker_threads';
import { createThreads, type Threads } from './threads.ts';

/** Threads that start only while the gate is open, and answer a task: `hang` never, `die` by dying. */
export function gatedThreads(idleMs?: number): Threads<unknown, unknown> & {
  open(): void;
  shut(): void;
  /** How many threads have come to the gate so far. */
  come(): number;
} {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const file = new URL('spec-gated-thread.ts', import.meta.url);
  setEnvironmentData('gate', gate);
  return {
    ...createThreads({ file, heapMb: 64, ...(idleMs !== undefined && { idleMs }) }),
    open() {
      Atomics.store(gate, 0, 1);
      Atomics.notify(gate, 0);
    },
    shut: () => void Atomics.store(gate, 0, 0),
    come: () => Atomics.load(gate, 1),
  };
}
