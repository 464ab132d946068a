/** A header field as it is sent. Like all text of a head it is Latin-1: one character an octet. */
export type Field = readonly [name: string, value: string];

/** What the client asks, apart from how it goes over the wire. */
export interface Asked {
  method: string;
  target: string;
  /** Names the request; null where it is the very thing that is tried out. */
  requestId: string | null;
  /**
   * What the body says, before it is coded; not sure where that depends on how the request is read. Null: there is none,
   * or it must not be understood.
   */
  body: { octets: Buffer; sure: boolean } | null;
  /** The most that its API key may do. */
  rights: 'all' | 'read' | 'none';
  /** Its idempotency key, where it has exactly one that can be one. */
  idempotencyKey: string | null;
}

/** A request and how it goes over the wire. */
export interface Message extends Asked {
  octets: Buffer;
}

/** What happens on one connection. */
export interface Script {
  kind: string;
  asked: Asked[];
  /** Each is sent by itself. */
  pieces: Buffer[];
  /** Whether HTTP leaves no doubt where each request ends: then each is answered, in order. */
  sound: boolean;
  /** `read`: until the server closes, which the last request asks for. `half-close`: the same, but our side is closed. */
  ending: 'read' | 'half-close' | 'reset' | 'vanish';
  /** How long until it is reset or vanishes, in milliseconds. */
  afterMs: number;
}

// What is not known when a script is made stands in it as text of the same length.

/** Stands for the number of the script. */
const RUN = 'run-----';
/** Stands for the id of one of the jobs that are known when it is sent. */
export const jobNumber = (number: number): string => `ffffffff-0000-7000-8000-${String(number).padStart(12, '0')}`;
const jobNumbers = /ffffffff-0000-7000-8000-(\d{12})/g;

/** The text with the script's number, and ids of jobs. */
export function filledIn(text: string, run: number, jobId: (number: number) => string): string {
  const named = text.replaceAll(RUN, String(run).padStart(RUN.length, '0'));
  return named.replace(jobNumbers, (_all, number: string) => jobId(Number(number)));
}

/** The only key that may do everything, and one that may only read. */
export const keys = { all: 'ofl_hostile-requests', read: 'ofl_hostile-reader' };

/** What every request has unless it is tried out without. */
export function usualFields(index: number): Field[] {
  return [
    ['Host', '127.0.0.1'],
    ['Authorization', `Bearer ${keys.all}`],
    ['X-Request-Id', `${RUN}.${index}`],
  ];
}

/** The fields with others in the place of those of the same name; none takes it away. */
export function replaced(fields: readonly Field[], name: string, values: readonly string[]): Field[] {
  const others = fields.filter(([each]) => each.toLowerCase() !== name.toLowerCase());
  return [...others, ...values.map((value): Field => [name, value])];
}

export function head(method: string, target: string, fields: readonly Field[], version = 'HTTP/1.1'): string {
  return `${method} ${target} ${version}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}

/** A sound request; a body goes with its length. */
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

/** What its fields say of a request. */
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

/** Asks for the end of the connection, behind something of which the end is not known. */
export function farewell(index: number): Message {
  return message('GET', '/healthz', [...usualFields(index), ['Connection', 'close']]);
}
