/** Text before the time at which an event was sent, which has {@link DIGITS} digits. */
export const MARK = 'sent at ';
/** Digits of the time, in microseconds. */
export const DIGITS = 16;

/** The present in microseconds, by a monotonic clock that all processes of this machine share. */
export function microseconds(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** The text in an event from which its receiver computes its latency. */
export function sentNow(): string {
  return MARK + String(microseconds()).padStart(DIGITS, '0');
}
