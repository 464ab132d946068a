import type { Response } from 'express';
import { budgetOf, UNCOUNTED_BYTES } from './byte-budget.ts';

/**
 * Sends `body` as JSON. Use it instead of `response.json` for frequent or large answers: Express would parse the
 * content type again to add the charset. A large answer counts towards the byte budget: see `ByteBudget`.
 *
 * @throws Problem 503 `overloaded` if a large answer exceeds the budget
 */
export function sendJson(response: Response, body: unknown): void {
  sendRawJson(response, JSON.stringify(body));
}

/**
 * Sends text that is JSON already, as {@link sendJson} does.
 *
 * @param changed whether the request has changed data, so that the budget must not refuse its answer. @default true
 *   for every method but GET
 * @throws Problem 503 `overloaded`
 */
export function sendRawJson(response: Response, json: string | Buffer, changed = response.req.method !== 'GET'): void {
  const bytes = Buffer.byteLength(json);
  budgetOf(response).answer(response, bytes, changed);
  response.setHeader('Content-Type', 'application/json; charset=utf-8');
  response.setHeader('Content-Length', bytes);
  // ASCII is the same bytes in latin1, and Node.js needs a third of the memory to write it. Node.js sends no body to
  // HEAD.
  if (typeof json === 'string') response.end(json, bytes === json.length ? 'latin1' : 'utf8');
  else response.end(json);
}

/**
 * Prepares JSON that is sent more than once. A large text becomes bytes, which Node.js does not copy for each answer.
 */
export function shareable(json: string): string | Buffer {
  return json.length > UNCOUNTED_BYTES ? Buffer.from(json) : json;
}
