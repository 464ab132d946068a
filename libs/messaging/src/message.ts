import type { MessageProperties } from 'amqplib';
import type { z } from 'zod';

/**
 * One kind of message with a JSON body. Plain data, so that sender and receiver can share it without sharing this
 * library.
 */
export interface JsonMessage<Schema extends z.ZodType = z.ZodType> {
  /** AMQP's `type`. A message that names another one is rejected; one that names none is taken for this kind. */
  readonly type: string;
  /**
   * Of the schema, from 1; sent as the header `x-schema-version`, and 1 where that is missing. Messages of a higher one
   * are rejected; those of a lower one are read with this schema, so raise it together with a schema that still takes
   * the older bodies.
   */
  readonly version: number;
  readonly schema: Schema;
  /** AMQP's `content_type`, sent and not asked for. @default 'application/json' */
  readonly contentType?: string;
}

/** Plain text in UTF-8, as every AMQP client can send and read it. */
export const text = { contentType: 'text/plain' } as const;

/** What is in a message. */
export type MessageKind = JsonMessage | typeof text;

/** What a consumer of such messages gets. */
export type BodyOf<Kind extends MessageKind> = Kind extends JsonMessage<infer Schema> ? z.output<Schema> : string;

/** What a publisher of such messages is given. */
export type BodyFor<Kind extends MessageKind> = Kind extends JsonMessage<infer Schema> ? z.input<Schema> : string;

/** A body that is JSON already, so that it is not written a second time. That it fits the schema is up to who wrote it. */
export class RawJson {
  readonly json: string;

  constructor(json: string) {
    this.json = json;
  }
}

/** The bytes of a message and the AMQP properties that say what they are. */
export interface WrittenMessage {
  content: Buffer;
  contentType: string;
  type?: string;
  headers?: Readonly<Record<string, unknown>>;
}

const VERSION_HEADER = 'x-schema-version';
/** By version, used again: amqplib makes the headers it is given a prototype, which takes V8 a hidden class for each new object. */
const versionHeaders: Readonly<Record<string, unknown>>[] = [];

/** @throws TypeError when the body can't be written as JSON; that it fits the schema is up to the compiler */
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

/** @returns the body, or the reason why the message is not of this kind */
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
  if (typeof version !== 'number' && typeof version !== 'bigint') return false; // clients differ in how they send it
  return Number.isInteger(Number(version)) && version >= 1 && version <= kind.version;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
