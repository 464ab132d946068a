// One clock for all processes of the bench, so that their times can be compared to some microseconds: the system's clock that
// only goes forward, counted from 1970. `performance.timeOrigin` won't do: it is read once, and off by a millisecond or more.
const SPIN_MS = 20;

/** Between the two: a reading that is late, since the machine did something else meanwhile, is too small, never too large. */
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
