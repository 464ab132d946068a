/** One answer of an api. */
export interface Answer {
  status: number;
  /** Header fields by lower-case name. Several lines of one name are joined with commas. */
  headers: Record<string, string>;
  body: string;
}

/** The body as JSON. */
export function jsonOf<T = Record<string, unknown>>({ status, body }: Answer): T {
  try {
    return JSON.parse(body) as T;
  } catch {
    throw new Error(`answered ${status} with what is no JSON: ${body.slice(0, 200)}`);
  }
}

/** Statuses whose answers end with their head (RFC 9112 section 6.3). */
const endsWithItsHead = (status: number): boolean => status < 200 || status === 204 || status === 304;

/**
 * Takes the first answer from the text that has arrived on a connection. Each character is a byte.
 *
 * @param toHead whether it answers a HEAD, and so has no body despite its length
 * @returns null while it has not all come
 * @throws Error for what is no answer
 */
export function takeAnswer(text: string, toHead = false): { answer: Answer; rest: string } | null {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const [, code] = /^HTTP\/1\.1 ([1-5]\d\d) /.exec(statusLine) ?? [];
  if (code === undefined) throw new Error(`no status line: ${statusLine.slice(0, 200)}`);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^\s:]+): ?(.*)$/.exec(line) ?? [];
    const known = headers[name.toLowerCase()];
    headers[name.toLowerCase()] = known === undefined ? value : `${known}, ${value}`;
  }
  const status = Number(code);
  const from = end + 4;
  if (headers['transfer-encoding'] !== undefined) throw new Error('this reads no transfer codings');
  const length = toHead || endsWithItsHead(status) ? 0 : Number(headers['content-length']);
  if (Number.isNaN(length)) throw new Error(`${statusLine}: no Content-Length`);
  if (text.length < from + length) return null;
  const body = Buffer.from(text.slice(from, from + length), 'latin1').toString();
  return { answer: { status, headers, body }, rest: text.slice(from + length) };
}
