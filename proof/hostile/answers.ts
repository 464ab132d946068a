import type { Field } from './script.ts';

/** An answer, parsed strictly (RFC 9112). */
export interface Answer {
  status: number;
  fields: Field[];
  /** By lower-case name. Of several, the last one. */
  headers: Record<string, string>;
  body: Buffer;
}

/** The bytes are not answers, or end inside one. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';
  /** Whether further bytes could have completed it. */
  readonly cut: boolean;

  constructor(what: string, cut = false) {
    super(what);
    this.cut = cut;
  }
}

const statusLine = /^HTTP\/1\.1 ([1-5]\d\d) [\t\x20-\x7e]*$/;
const fieldLine =
  /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t \x21-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/;
/** Fields that may occur once at most. */
const single = [
  'content-length',
  'content-type',
  'transfer-encoding',
  'x-request-id',
  'location',
  'etag',
  'retry-after',
];

/**
 * Parses the answers on one connection, in order, also interim ones (1xx).
 *
 * @param methods the methods of their requests: an answer to HEAD has no body
 * @returns the answers before the fault, and the fault if there is one
 */
export function readAnswers(octets: Buffer, methods: readonly string[]): { answers: Answer[]; fault: NoAnswer | null } {
  const answers: Answer[] = [];
  let at = 0;
  let finals = 0;
  try {
    while (at < octets.length) {
      const { answer, end } = readOne(octets, at, methods[finals] === 'HEAD');
      answers.push(answer);
      if (answer.status >= 200) finals += 1;
      at = end;
    }
  } catch (fault) {
    if (fault instanceof NoAnswer) return { answers, fault };
    throw fault;
  }
  return { answers, fault: null };
}

function readOne(octets: Buffer, start: number, toHead: boolean): { answer: Answer; end: number } {
  const end = octets.indexOf('\r\n\r\n', start);
  if (end === -1) throw new NoAnswer('a head without an end', true);
  const [first = '', ...lines] = octets.toString('latin1', start, end).split('\r\n');
  const [, status] = statusLine.exec(first) ?? [];
  if (status === undefined) throw new NoAnswer(`no status line: ${JSON.stringify(first.slice(0, 200))}`);
  const fields = lines.map((line): Field => {
    const [, name, value] = fieldLine.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new NoAnswer(`no header field: ${JSON.stringify(line)}`);
    return [name, value];
  });
  const names = fields.map(([name]) => name.toLowerCase());
  const doubled = single.filter((name) => names.filter((each) => each === name).length > 1);
  if (doubled.length > 0) throw new NoAnswer(`several ${doubled.join(', ')}`);
  const headers = Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value]));
  const answer = { status: Number(status), fields, headers };
  // If the server has refused the head before reading the method, it can't know that it was HEAD.
  const refused = answer.status >= 400 && headers['connection'] === 'close';
  const bodiless =
    (toHead && !(refused && octets.length - end - 4 === Number(headers['content-length']))) ||
    answer.status < 200 ||
    answer.status === 204 ||
    answer.status === 304;
  const read = bodiless ? { body: Buffer.alloc(0), end: end + 4 } : readBody(octets, end + 4, headers);
  return { answer: { ...answer, body: read.body }, end: read.end };
}

function readBody(octets: Buffer, start: number, headers: Record<string, string>): { body: Buffer; end: number } {
  const { 'transfer-encoding': coding, 'content-length': length } = headers;
  if (coding !== undefined && length !== undefined) throw new NoAnswer('Transfer-Encoding and Content-Length');
  if (coding !== undefined) {
    if (coding !== 'chunked') throw new NoAnswer(`Transfer-Encoding: ${coding}`);
    return readChunks(octets, start);
  }
  if (length === undefined || !/^\d{1,9}$/.test(length)) throw new NoAnswer(`Content-Length: ${length}`);
  const end = start + Number(length);
  if (end > octets.length) throw new NoAnswer('a body without its end', true);
  return { body: octets.subarray(start, end), end };
}

function readChunks(octets: Buffer, start: number): { body: Buffer; end: number } {
  const chunks: Buffer[] = [];
  for (let at = start; ;) {
    const line = octets.indexOf('\r\n', at);
    if (line === -1) throw new NoAnswer('a chunk without an end', true);
    const size = octets.toString('latin1', at, line);
    if (!/^[\da-f]{1,8}$/i.test(size)) throw new NoAnswer(`no chunk size: ${JSON.stringify(size.slice(0, 50))}`);
    const end = line + 2 + parseInt(size, 16);
    if (end + 2 > octets.length) throw new NoAnswer('a chunk without an end', true);
    if (octets.toString('latin1', end, end + 2) !== '\r\n') throw new NoAnswer('a chunk longer than it says');
    if (end === line + 2) return { body: Buffer.concat(chunks), end: end + 2 };
    chunks.push(octets.subarray(line + 2, end));
    at = end + 2;
  }
}
