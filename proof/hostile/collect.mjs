// Loaded into a process under test: says how long its event loop was held at most since it last said so, and how large
// the process has been at most, and collects its garbage, when it gets SIGUSR2. What it has then is in use.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';

/** How often the event loop is looked at, in milliseconds. */
const TICK_MS = 2;

if (isMainThread) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  let times = 0;
  let last = look();
  let longest = { silentMs: 0, heldMs: 0 };

  /** The time, and how much of a processor's this process has used. */
  function look() {
    const { user, system } = process.cpuUsage();
    return { at: performance.now(), used: (user + system) / 1_000 };
  }
  function tick() {
    const now = look();
    const silentMs = now.at - last.at - TICK_MS;
    // Of the time in which nothing else could happen, that in which the process was at work: others may have been
    // instead.
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
