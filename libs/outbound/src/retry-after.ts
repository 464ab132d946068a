/**
 * Reads `Retry-After` (RFC 9110 section 10.2.3): seconds, or an HTTP date. Of several values, joined with commas, the
 * longest wait counts.
 *
 * @param now the present in milliseconds since 1970. @default Date.now()
 * @returns milliseconds from now, 0 for a past time; undefined without a value, or if any part is malformed
 */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  // Split after digits or GMT, because the comma in a date follows the name of a day.
  const waits = (value ?? '').split(/(?<=\d|GMT)\s*,/).map((text) => waitOf(text.trim(), now));
  const longest = Math.max(...waits);
  return Number.isNaN(longest) ? undefined : longest;
}

/** @returns NaN for a malformed value */
function waitOf(text: string, now: number): number {
  if (/^\d+$/.test(text)) {
    return Number(text) * 1_000;
  }
  // Date.parse reads almost anything as a date, so require GMT.
  return / GMT$/.test(text) ? Math.max(Date.parse(text) - now, 0) : NaN;
}
