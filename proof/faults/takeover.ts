import { startSystem, type System, type SystemProcess, startTarget, type Target } from '@offload/running-system';
import { finished, holderOf, submit } from '@offload/running-system/requests';
import type { Ground } from './ground.ts';
import { orAbort } from './or-abort.ts';
import { duration, median, worst } from './statistics.ts';
import type { Measured } from './unit.ts';

const GOAL = { medianMs: 300, worstMs: 1_000 };
const WORKERS = 4;

/**
 * Measures from `kill -9` of the worker that runs a job until the next attempt's request arrives at the target. Both
 * times are by this process's clock. It runs one job at a time, and no process starts meanwhile.
 */
export async function measureTakeovers(ground: Ground, kills: number, deadline: AbortSignal): Promise<Measured> {
  const databaseUrl = await ground.prepare();
  const system = await startSystem({ databaseUrl, amqpUrl: ground.broker.amqpUrl });
  const target = await startTarget();
  try {
    return await orAbort(takeOver(system, target, kills), deadline);
  } finally {
    target.close();
    await system.stop();
  }
}

async function takeOver(system: System, target: Target, kills: number): Promise<Measured> {
  const start = () => system.startWorker({ WORKER_CONCURRENCY: '1', ALLOW_PRIVATE_TARGETS: 'true', LOG_LEVEL: 'info' });
  const gaps: number[] = [];
  const failures: string[] = [];
  let workers: SystemProcess[] = [];
  const api = await system.startApi();
  while (gaps.length < kills) {
    if (workers.length < 2) {
      const missing = Array.from({ length: WORKERS - workers.length }, start);
      workers = [...workers, ...(await Promise.all(missing))];
    }
    const job = await submit(api, { type: 'http.request', payload: { url: target.url }, maxAttempts: 3 });
    await target.next();
    const holder = await holderOf(workers);
    workers = workers.filter((worker) => worker !== holder);
    const killedAt = performance.now();
    const killed = holder.kill('SIGKILL');
    const next = await target.next();
    gaps.push(performance.now() - killedAt);
    next.answer(200, 'taken over');
    await killed;
    const { status, attempt, errors } = await finished(api, job);
    const how = `${status} at attempt ${attempt}, ${errors.map(({ code }) => code).join()}`;
    if (how !== 'succeeded at attempt 2, worker-lost') failures.push(`job ${job.id}: ${how}`);
  }
  const [middle, longest] = [median(gaps), worst(gaps)];
  if (!(middle < GOAL.medianMs && longest < GOAL.worstMs)) failures.push('the goal is missed');
  return {
    measured: `${kills} kills: ${duration(middle)} at the median, ${duration(longest)} at worst`,
    goal: `median under ${duration(GOAL.medianMs)}, worst under ${duration(GOAL.worstMs)}`,
    failures,
  };
}
