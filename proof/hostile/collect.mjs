// Loaded into a process under test. At SIGUSR2 it prints the longest time that the event loop was blocked since the
// last signal, and the largest size of the process. Then it collects garbage, so that the remaining memory is in use.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/** Interval of the checks of the event loop, in milliseconds. */
const TICK_MS = 2;

if (isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  let times = 0;
  let last = look();
  let longest = { silentMs: 0, heldMs: 0 };

  /** Measures the time, and the CPU time of this process. */
  function look() {
    const { user, system } = process.cpuUsage();
    return { at: performance.now(), used: (user + system) / 1_000 };
  }
  function tick() {
    const now = look();
    const silentMs = now.at - last.at - TICK_MS;
    // Count only CPU time of this process. In the rest of the time, other processes may have run.
    const heldMs = Math.min(silentMs, now.used - last.used);
    longest = { silentMs: Math.max(longest.silentMs, silentMs), heldMs: Math.max(longest.heldMs, heldMs) };
    last = now;
  }
  setInterval(tick, TICK_MS).unref();
  process.on('SIGUSR2', () => {
    tick();
    const told = { ...longest, mostResidentBytes: process.resourceUsage().maxRSS * 1_024 };
    collect();
    last = look();
    longest = { silentMs: 0, heldMs: 0 };
    process.stdout.write(`${JSON.stringify({ level: 'info', msg: `garbage collected ${(times += 1)}`, ...told })}\n`);
  });
}
