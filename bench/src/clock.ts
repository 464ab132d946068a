// One clock for all processes of the bench, accurate to some microseconds: the system's monotonic clock, counted from
// 1970. `performance.timeOrigin` is not accurate enough: it is read once, and differs by a millisecond or more.
const SPIN_MS = 20;

/** Offset between the two clocks. A late reading, when the machine is busy, is too small and never too large. */
export const clockOffsetMs = ((): number => {
  let offset = -Infinity;
  for (const until = monotonicMs() + SPIN_MS; monotonicMs() < until;) {
    offset = Math.max(offset, Date.now() - monotonicMs());
  }
  return offset;
})();

/** Milliseconds since 1970 with fractions. */
export function clockMs(): number {
  return clockOffsetMs + monotonicMs();
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
