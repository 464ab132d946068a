/** A header field as it is sent. All text of a head is Latin-1, with one byte for each character. */
export type Field = readonly [name: string, value: string];

/** The contents of a request, without its framing. */
export interface Asked {
  method: string;
  target: string;
  /** The request id; null if the script tests this field. */
  requestId: string | null;
  /**
   * The decoded body. It is not `sure` if it depends on how the request is parsed. Null if there is no body, or if the
   * api must not understand it.
   */
  body: { octets: Buffer; sure: boolean } | null;
  /** The rights of its API key, at most. */
  rights: 'all' | 'read' | 'none';
  /** Its idempotency key, if it has exactly one valid key. */
  idempotencyKey: string | null;
}

/** A request with its bytes. */
export interface Message extends Asked {
  octets: Buffer;
}

/** The actions on one connection. */
export interface Script {
  kind: string;
  asked: Asked[];
  /** Each piece is sent alone. */
  pieces: Buffer[];
  /** Whether the end of each request is clear in HTTP. Then each is answered, in order. */
  sound: boolean;
  /** `read`: until the server closes, as the last request asks. `half-close`: the same, but this side is closed. */
  ending: 'read' | 'half-close' | 'reset' | 'vanish';
  /** Milliseconds until this side resets or vanishes. */
  afterMs: number;
}

// Values that are unknown when a script is made are represented by text of the same length.

/** Placeholder for the number of the script. */
const RUN = 'run-----';
/** Placeholder for the id of a job that is known at the time of sending. */
export const jobNumber = (number: number): string => `ffffffff-0000-7000-8000-${String(number).padStart(12, '0')}`;
const jobNumbers = /ffffffff-0000-7000-8000-(\d{12})/g;

/** Fills in the script's number and the ids of jobs. */
export function filledIn(text: string, run: number, jobId: (number: number) => string): string {
  const named = text.replaceAll(RUN, String(run).padStart(RUN.length, '0'));
  return named.replace(jobNumbers, (_all, number: string) => jobId(Number(number)));
}

/** The API key with all rights, and one that may only read. */
export const keys = { all: 'ofl_hostile-requests', read: 'ofl_hostile-reader' };

/** The fields of every request that does not test them. */
export function usualFields(index: number): Field[] {
  return [
    ['Host', '127.0.0.1'],
    ['Authorization', `Bearer ${keys.all}`],
    ['X-Request-Id', `${RUN}.${index}`],
  ];
}

/** Replaces the fields of a name; without values, removes them. */
export function replaced(fields: readonly Field[], name: string, values: readonly string[]): Field[] {
  const others = fields.filter(([each]) => each.toLowerCase() !== name.toLowerCase());
  return [...others, ...values.map((value): Field => [name, value])];
}

/** The head of a request. */
export function head(method: string, target: string, fields: readonly Field[], version = 'HTTP/1.1'): string {
  return `${method} ${target} ${version}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** A valid request; a body has its Content-Length. */
export function message(
  method: string,
  target: string,
  fields: readonly Field[],
  body?: { octets: Buffer; says: Asked['body'] },
): Message {
  const length: Field[] = body ? [['Content-Length', String(body.octets.length)]] : [];
  const octets = Buffer.from(head(method, target, [...fields, ...length]), 'latin1');
  return {
    ...{ method, target, ...toldBy(fields), body: body?.says ?? null },
    octets: body ? Buffer.concat([octets, body.octets]) : octets,
  };
}

/** The contents of a request that follow from its fields. */
export function toldBy(fields: readonly Field[]): Pick<Asked, 'requestId' | 'rights' | 'idempotencyKey'> {
  const valuesOf = (wanted: string) =>
    fields.flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []));
  const [id, ...more] = valuesOf('x-request-id');
  const requestId = id !== undefined && more.length === 0 && /^[\x21-\x7e]{1,128}$/.test(id) ? id : null;
  const holds = (key: string) => valuesOf('authorization').some((value) => value.includes(key));
  const [key, ...others] = valuesOf('idempotency-key');
  const idempotencyKey = key !== undefined && others.length === 0 && /^"[\w-]+"$/.test(key) ? key : null;
  return { requestId, idempotencyKey, rights: holds(keys.all) ? 'all' : holds(keys.read) ? 'read' : 'none' };
}

/** A last request that closes the connection, after bytes whose end is unclear. */
export function farewell(index: number): Message {
  return message('GET', '/healthz', [...usualFields(index), ['Connection', 'close']]);
}
