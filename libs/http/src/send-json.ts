import type { Response } from 'express';
import { budgetOf, UNCOUNTED_BYTES } from './byte-budget.ts';

/**
 * As `response.json`, for answers that are sent often, or may be large: express looks for the type that it has just
 * set, and takes it apart and puts it together again to add the charset. A large answer counts to the budget: see
 * `ByteBudget`.
 *
 * @throws Problem 503 `overloaded`
 */
export function sendJson(response: Response, body: unknown): void {
  sendRawJson(response, JSON.stringify(body));
}

/**
 * The same of what is JSON already.
 *
 * @param changed whether the request has changed something, so that its answer must not be refused @default unless it
 *   is GET
 */
export function sendRawJson(response: Response, json: string | Buffer, changed = response.req.method !== 'GET'): void {
  const bytes = Buffer.byteLength(json);
  budgetOf(response).answer(response, bytes, changed);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', bytes);
  // ASCII is the same octets, and Node.js takes a third of the memory to write it. Of all this it sends nothing to
  // HEAD.
  if (typeof json === 'string') response.end(json, bytes === json.length ? 'latin1' : 'utf8');
  else response.end(json);
}

/** JSON that will be sent more than once: if it is large as octets, which Node.js does not copy for each answer. */
export function shareable(json: string): string | Buffer {
  return json.length > UNCOUNTED_BYTES ? Buffer.from(json) : json;
}
