/**
 * Reads `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date in one of the three forms of section 5.6.7. A date
 * is compared with the answer's own `Date`, because the local clock may be wrong.
 *
 * @returns milliseconds, at least 0; undefined when the header is missing or malformed
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const then = parseDate(text);
  if (Number.isNaN(then)) return undefined;
  const now = parseDate(headers.get('date') ?? '');
  return Math.max(0, then - (Number.isNaN(now) ? Date.now() : now));
}

/** Parses a date. The obsolete form of asctime is in GMT but does not say so. */
function parseDate(text: string): number {
  if (!/^[A-Z][a-z]{2,8},? .*\d\d:\d\d:\d\d/.test(text)) return NaN; // Date.parse accepts too many other texts
  return Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`);
}
