import type { MessageProperties } from 'amqplib';
import type { z } from 'zod';

/** A kind of message with a JSON body. It is plain data, so sender and receiver can share it without this library. */
export interface JsonMessage<Schema extends z.ZodType = z.ZodType> {
  /** AMQP's `type`. A message with another type is rejected. A message without a type is read as this kind. */
  readonly type: string;
  /**
   * Version of the schema, from 1. The header `x-schema-version` carries it; a message without the header has version
   * 1. Messages of a higher version are rejected. Messages of a lower version are read with this schema, so raise the
   * version only with a schema that accepts the older bodies, too.
   */
  readonly version: number;
  /** Parses the body. */
  readonly schema: Schema;
  /** AMQP's `content_type`. It is sent, and not checked on arrival. @default 'application/json' */
  readonly contentType?: string;
}

/** A kind of message with plain UTF-8 text, for AMQP clients that know no schema. */
export const text = { contentType: 'text/plain' } as const;

/** How a message's body is written and read: as JSON with a schema, or as {@link text}. */
export type MessageKind = JsonMessage | typeof text;

/** The body that a consumer of this kind of message gets. */
export type BodyOf<Kind extends MessageKind> = Kind extends JsonMessage<infer Schema> ? z.output<Schema> : string;

/** The body that a publisher of this kind of message needs. */
export type BodyFor<Kind extends MessageKind> = Kind extends JsonMessage<infer Schema> ? z.input<Schema> : string;

/**
 * A body that is JSON text already, so that it is not serialized twice. The caller must make sure that it fits the
 * schema.
 */
export class RawJson {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

/** The bytes of a message, and the AMQP properties that describe them. */
export interface WrittenMessage {
  content: Buffer;
  contentType: string;
  type?: string;
  headers?: Readonly<Record<string, unknown>>;
}

const VERSION_HEADER = 'x-schema-version';
/**
 * One headers object for each version: amqplib sets a prototype on it, and V8 needs a hidden class for each new object.
 */
const versionHeaders: Readonly<Record<string, unknown>>[] = [];

/**
 * Serializes a body. The compiler checks that the body fits the schema; this function does not.
 *
 * @throws TypeError when the body can't be written as JSON
 */
export function writeMessage<Kind extends MessageKind>(kind: Kind, body: BodyFor<Kind> | RawJson): WrittenMessage {
  if (!('schema' in kind)) return { content: Buffer.from(body as string), contentType: kind.contentType };
  const json = body instanceof RawJson ? body.json : (JSON.stringify(body) as string | undefined);
  if (json === undefined) throw new TypeError(`the body of a ${kind.type} can't be written as JSON`);
  return {
    content: Buffer.from(json),
    contentType: kind.contentType ?? 'application/json',
    type: kind.type,
    headers: (versionHeaders[kind.version] ??= Object.freeze({ [VERSION_HEADER]: kind.version })),
  };
}

/**
 * Parses a message with the schema of its kind. It does not throw.
 *
 * @returns the body, or the reason why the message is not of this kind
 */
export function readMessage<Kind extends MessageKind>(
  kind: Kind,
  { content, properties }: { content: Buffer; properties: Pick<MessageProperties, 'type' | 'headers'> },
): { body: BodyOf<Kind> } | { reason: string } {
  type Read = ReturnType<typeof readMessage<Kind>>;
  if (!('schema' in kind)) return readText(content) as Read;
  const { type = kind.type, headers } = properties;
  const version: unknown = headers?.[VERSION_HEADER] ?? 1;
  if (type !== kind.type) return { reason: `its type is ${shown(type)}, not ${shown(kind.type)}` };
  if (!knows(kind, version)) {
    return { reason: `its schema version ${shown(version)} is unknown: 1 to ${kind.version} are known` };
  }
  const read = readText(content);
  return 'reason' in read ? read : (readJson(kind.schema, read.body) as Read);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function readText(content: Buffer): { body: string } | { reason: string } {
  try {
    return { body: utf8.decode(content) };
  } catch {
    return { reason: 'not UTF-8' };
  }
}

function readJson(schema: z.ZodType, content: string): { body: unknown } | { reason: string } {
  let json: unknown;
  try {
    json = JSON.parse(content);
  } catch (error) {
    return { reason: `not JSON: ${(error as Error).message}` };
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return { body: parsed.data };
  const [issue] = parsed.error.issues;
  return { reason: `/${issue?.path.join('/') ?? ''}: ${issue?.message ?? 'does not fit'}` };
}

function knows(kind: JsonMessage, version: unknown): boolean {
  if (typeof version !== 'number' && typeof version !== 'bigint') return false; // some clients send a bigint
  return Number.isInteger(Number(version)) && version >= 1 && version <= kind.version;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
