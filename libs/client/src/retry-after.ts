/**
 * `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date in one of the three forms of section 5.6.7. A date counts
 * from the answer's own `Date` where it has one, since this machine's clock may go wrong.
 *
 * @returns milliseconds, at least 0; undefined when there is none that can be read
 */
export function retryAfterMs(headers: Headers): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const then = parseDate(text);
  if (Number.isNaN(then)) return undefined;
  const now = parseDate(headers.get('date') ?? '');
  return Math.max(0, then - (Number.isNaN(now) ? Date.now() : now));
}

/** The obsolete form of asctime means GMT without saying so. */
function parseDate(text: string): number {
  if (!/^[A-Z][a-z]{2,8},? .*\d\d:\d\d:\d\d/.test(text)) return NaN; // Date.parse makes a date of many things
  return Date.parse(text.endsWith(' GMT') ? text : `${text} GMT`);
}
