/**
 * What `Retry-After` says (RFC 9110 section 10.2.3): seconds, or an HTTP-date.
 *
 * @returns milliseconds from now, 0 for a time that is past; undefined for an absent or unreadable value
 */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) {
    return Number(text) * 1_000;
  }
  // Date.parse reads almost anything as some date, so only what says GMT gets there.
  const date = / GMT$/.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(date - now, 0);
}
