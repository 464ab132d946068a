import type { Asked, Given } from './asked.ts';
import type { Scene } from './scene.ts';
import type { ApiName } from './world.ts';

/** The expected parts of an answer. Other parts may have any value. */
export interface Expected {
  status: number;
  /** The end of a problem's `type`. */
  problem?: string;
  /** Header fields by name; null for a field that must be missing. */
  headers?: Record<string, string | RegExp | null>;
  /** The expected members of the JSON body, at any depth. Arrays count as a whole. A pattern matches a text. */
  body?: unknown;
}

interface Rule {
  /** Such as `RFC 9110`. */
  document: string;
  section: string;
  rule: string;
  /** Short form of the request for the page. @default made from the request */
  asked?: string;
}

/** A rule that one request proves. */
export interface RequestRow extends Rule {
  given?: Given;
  request: Asked;
  expect: Expected;
}

/** A rule that needs exactly these bytes on a connection, which the api then closes. */
export interface WireRow extends Rule {
  given?: Given;
  wire: string;
  /** @default open */
  at?: ApiName;
  /** The framing itself is wrong, so the contract does not describe the answer. */
  broken?: true;
  /** Every answer on the connection, in order. */
  expect: Expected[];
}

/** A rule that several requests prove. */
export interface PlayedRow extends Rule {
  asked: string;
  /** Short form of the answer for the page. */
  answered: string;
  /**
   * Throws where the rule is not met. Without a message `assert.ok` is not for this: Node.js looks for its expression
   * in the source, and for what was transpiled on the way that takes a minute.
   */
  run(scene: Scene): Promise<void>;
}

/** A row of the table. */
export type Row = RequestRow | WireRow | PlayedRow;

/** Makes the rows of one document. */
export function rowsOf(document: string, rows: DistributedOmit<Row, 'document'>[]): Row[] {
  return rows.map((row) => ({ document, ...row }) as Row);
}

type DistributedOmit<T, Name extends PropertyKey> = T extends unknown ? Omit<T, Name> : never;
