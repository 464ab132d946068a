/**
 * What `Retry-After` says (RFC 9110 section 10.2.3): seconds, or an HTTP-date. Where it came several times, joined with
 * commas, the longest wait counts.
 *
 * @returns milliseconds from now, 0 for a time that is past; undefined for an absent value, or one that is unreadable in
 * any of its parts
 */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  // The comma within a date follows the name of a day.
  const waits = (value ?? '').split(/(?<=\d|GMT)\s*,/).map((text) => waitOf(text.trim(), now));
  const longest = Math.max(...waits);
  return Number.isNaN(longest) ? undefined : longest;
}

/** @returns NaN for what is unreadable */
function waitOf(text: string, now: number): number {
  if (/^\d+$/.test(text)) {
    return Number(text) * 1_000;
  }
  // Date.parse reads almost anything as some date, so only what says GMT gets there.
  return / GMT$/.test(text) ? Math.max(Date.parse(text) - now, 0) : NaN;
}
