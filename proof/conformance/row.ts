import type { Asked, Given } from './asked.ts';
import type { Scene } from './scene.ts';
import type { ApiName } from './world.ts';

/** What an answer must have; what is not named may be as it likes. */
export interface Expected {
  status: number;
  /** Ends the `type` of a problem. */
  problem?: string;
  /** By name; null where there must be none. */
  headers?: Record<string, string | RegExp | null>;
  /** Of the body as JSON: the members that are named, at any depth; arrays as a whole. A pattern is for a text. */
  body?: unknown;
}

interface Rule {
  /** such as `RFC 9110` */
  document: string;
  section: string;
  rule: string;
  /** The request in short, for the page. @default made of the request */
  asked?: string;
}

/** A rule that one request shows. */
export interface RequestRow extends Rule {
  given?: Given;
  request: Asked;
  expect: Expected;
}

/** A rule that exactly these octets on a connection show, which the api then closes. */
export interface WireRow extends Rule {
  given?: Given;
  wire: string;
  /** @default open */
  at?: ApiName;
  /** The framing itself is wrong: the contract does not describe the answer. */
  broken?: true;
  /** Every answer on the connection. */
  expect: Expected[];
}

/** A rule over several requests. */
export interface PlayedRow extends Rule {
  asked: string;
  /** The answer in short, for the page. */
  answered: string;
  /**
   * Throws where the rule is not met. Without a message `assert.ok` is not for this: Node.js looks for its expression
   * in the source, and for what was transpiled on the way that takes a minute.
   */
  run(scene: Scene): Promise<void>;
}

export type Row = RequestRow | WireRow | PlayedRow;

/** Rows of one document. */
export function rowsOf(document: string, rows: DistributedOmit<Row, 'document'>[]): Row[] {
  return rows.map((row) => ({ document, ...row }) as Row);
}

type DistributedOmit<T, Name extends PropertyKey> = T extends unknown ? Omit<T, Name> : never;
