import { setTimeout as delay } from 'node:timers/promises';
import type { ProgramProcess } from '../app-process.ts';
import { quantile } from '../figures/summary.ts';
import { residentMiB } from '../ground/processor-time.ts';
import { send, type System } from '../systems/system.ts';
import { whileRunning } from '../systems/while-running.ts';
import { eachRound, type Bench } from './bench.ts';

const EVERY_MS = 50;
const WARM_UP = 20;
const CONCURRENCY = 100;
const POLL_MS = 250;
const TIMEOUT_MS = 10_000;

/** Measures the time of a job from its 202 to its handler under little load. */
export async function measurePickUp(bench: Bench): Promise<void> {
  const { figures, plan } = bench;
  const systems = Object.values(bench.systems).filter(({ can }) => can.run);
  await eachRound(bench, 'pick-up', systems, async (system) => {
    const note = (worker: ProgramProcess): void =>
      figures.add(system.name, { startWorker: worker.startedMs, memoryWorkerIdle: residentMiB(worker.pid) });
    const times = await pickUpTimes(system, plan.pickUps, note);
    figures.add(system.name, { pickUpP50: quantile(times, 0.5), pickUpP99: quantile(times, 0.99) });
  });
}

/**
 * Submits twenty jobs a second, one at a time.
 *
 * @param whileIdle is called with the worker before the first job
 * @returns milliseconds from the 202 to the handler, for each job
 */
export async function pickUpTimes(
  system: System,
  count: number,
  whileIdle?: (worker: ProgramProcess) => void,
): Promise<number[]> {
  return whileRunning(system.startApi(), (api) =>
    whileRunning(system.startWorker({ concurrency: CONCURRENCY, recordCalls: true }), async (worker) => {
      whileIdle?.(worker);
      return pickUps(system, api, worker, count);
    }),
  );
}

async function pickUps(system: System, api: ProgramProcess, worker: ProgramProcess, count: number): Promise<number[]> {
  const sentAt = new Map<string, number>();
  const from = performance.now();
  for (let nth = 0; nth < WARM_UP + count; nth += 1) {
    await delay(Math.max(0, from + nth * EVERY_MS - performance.now()));
    const { answer, atMs } = await send(api.url, system.one());
    const { id, takenAtMs } = answer as { id: string; takenAtMs?: number };
    if (nth >= WARM_UP) sentAt.set(id, system.pickUpFrom === 'request' ? (takenAtMs ?? NaN) : atMs);
  }
  let calledAt = new Map<string, number>();
  const missing = () => [...sentAt.keys()].filter((id) => !Number.isFinite(calledAt.get(id) ?? NaN)).length;
  for (const until = performance.now() + TIMEOUT_MS; ;) {
    calledAt = await system.calledAt(worker);
    if (missing() === 0) break;
    if (performance.now() > until) throw new Error(`${missing()} of ${count} handlers have not been called`);
    await delay(POLL_MS);
  }
  // A handler may be called before its 202 has arrived.
  return [...sentAt].map(([id, ms]) => Math.max(0, (calledAt.get(id) as number) - ms));
}
