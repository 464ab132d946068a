import type { Response } from 'express';
import { budgetOf } from './byte-budget.ts';

/**
 * As `response.json`, for answers that are sent often, or may be large: express looks for the type that it has just
 * set, and takes it apart and puts it together again to add the charset. A large answer counts to the budget: see
 * `ByteBudget`.
 *
 * @throws Problem 503 `overloaded`
 */
export function sendJson(response: Response, body: unknown): void {
  sendPrinted(response, JSON.stringify(body));
}

/** The same of what is JSON already. */
export function sendPrinted(response: Response, json: string): void {
  const bytes = Buffer.byteLength(json);
  budgetOf(response).answer(response, bytes);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', bytes);
  // ASCII is the same octets, and Node.js takes a third of the memory to write it. Of all this it sends nothing to HEAD.
  response.end(json, bytes === json.length ? 'latin1' : 'utf8');
}
