/** Precedes the time at which an event was sent, written with {@link DIGITS} digits. */
export const MARK = 'sent at ';
export const DIGITS = 16;

/** Now, in microseconds of a clock that all processes of this machine share and nobody sets. */
export function microseconds(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** What an event carries, to tell later how long it was on its way. */
export function sentNow(): string {
  return MARK + String(microseconds()).padStart(DIGITS, '0');
}
