import type { JobDefinitions } from '@offload/jobs/job-types';
import { setTimer } from '@offload/process';
import type { Handler } from '@offload/worker';

/** Sleeps, reports the seconds that are over, and rejects with the signal's reason when the signal fires. */
export const demoSleep: Handler<JobDefinitions['demoSleep']> = async ({ seconds }, { signal, progress }) => {
  const totalMs = seconds * 1_000;
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  let told = 0;
  signal.throwIfAborted();
  while (elapsed() < totalMs) {
    const over = Math.floor(elapsed() / 1_000);
    // A timer may be a fraction of a millisecond early: do not report the same second twice.
    if (over > told) {
      told = over;
      progress(Math.floor((100 * over) / seconds), `${over} of ${seconds} s`);
    }
    // Each pause ends at a whole second since the start, so that late timers do not add up.
    await pause(Math.min((over + 1) * 1_000, totalMs) - elapsed(), signal);
  }
  return { sleptMs: Math.round(elapsed()) };
};

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimer(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, Math.ceil(ms));
    signal.addEventListener('abort', abort, { once: true });
  });
}
