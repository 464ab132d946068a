import type { ServerResponse } from 'node:http';
import type { Response } from 'express';
import { Counter, Gauge, type Registry } from 'prom-client';
import { Problem } from './problem.ts';

/** Bodies and answers of up to so many bytes are not counted: how many connections there are bounds those. */
export const UNCOUNTED_BYTES = 16 * 1024;

export interface ByteBudgetOptions {
  /** A client that has taken nothing of a counted answer for so long is cut off, in milliseconds. @default 10_000 */
  stalledMs?: number;
  /** A counted answer that takes longer may be cut off when its bytes are needed, in milliseconds. @default 5_000 */
  patienceMs?: number;
}

/** The bytes that a process may hold for its clients at once: bodies that come in, and answers that are not yet read. */
export interface ByteBudget {
  /**
   * Counts the body of a request until its answer is over.
   *
   * @returns to be called with how many bytes of it have come by now; throws Problem 503 `overloaded` when those are too many
   */
  body(response: ServerResponse): (bytes: number) => void;
  /**
   * Counts an answer until it is over, and cuts its client off when that does not read it. An answer to a request that has
   * changed something is counted, but never refused.
   *
   * @throws Problem 503 `overloaded`
   */
  answer(response: Response, bytes: number): void;
  /** Counts what is written to a stream, until the client has read it. @throws Problem 503 `overloaded` */
  written(response: ServerResponse, bytes: number): void;
}

/** @param most bytes at once; a single body or answer may be larger, when there is no other */
export function createByteBudget(most: number, metrics: Registry, options: ByteBudgetOptions = {}): ByteBudget {
  const { stalledMs = 10_000, patienceMs = 5_000 } = options;
  let held = 0;
  /** The counted answers and when each began, oldest first. */
  const answers = new Map<ServerResponse, { giveBack: () => void; since: number }>();
  const registers = [metrics];
  new Gauge({
    name: 'http_bytes_in_flight',
    help: 'Bytes of large bodies that come in and of large answers that are not yet read',
    registers,
    collect() {
      this.set(held);
    },
  });
  const refused = new Counter({
    name: 'http_overloaded_total',
    help: 'Requests refused because too many bytes were in flight',
    registers,
  });
  const cuts = new Counter({
    name: 'http_readers_cut_total',
    help: 'Answers cut off because their bytes were needed and their reader was slow',
    registers,
  });

  function makeRoom(bytes: number): void {
    for (const [response, { giveBack, since }] of answers) {
      if (held + bytes <= most || performance.now() - since < patienceMs) return;
      cuts.inc();
      giveBack();
      response.destroy();
    }
  }

  /** @param own how many of those that are held belong to the same body */
  function take(bytes: number, mayRefuse = true, own = 0): void {
    if (held + bytes > most) makeRoom(bytes);
    if (mayRefuse && held > own && held + bytes > most) {
      refused.inc();
      throw overloaded();
    }
    held += bytes;
  }

  /** Once, whoever calls. */
  function giveBackOf(bytes: number): () => void {
    let left = bytes;
    return () => {
      held -= left;
      left = 0;
    };
  }

  return {
    body(response) {
      let counted = 0;
      return (bytes) => {
        // What is decoded for a client that has left is counted by nobody any more: its close has been.
        if (bytes <= UNCOUNTED_BYTES || bytes <= counted || response.destroyed) return;
        take(bytes - counted, true, counted);
        if (counted === 0) response.once('close', () => (held -= counted));
        counted = bytes;
      };
    },
    answer(response, bytes) {
      const { method } = response.req;
      if (bytes <= UNCOUNTED_BYTES || method === 'HEAD' || response.destroyed) return;
      take(bytes, method === 'GET');
      const giveBack = giveBackOf(bytes);
      answers.set(response, { giveBack, since: performance.now() });
      response.setTimeout(stalledMs); // the server destroys what times out
      response.once('close', () => {
        answers.delete(response);
        giveBack();
      });
    },
    written(response, bytes) {
      if (bytes <= UNCOUNTED_BYTES || response.destroyed) return;
      take(bytes);
      const giveBack = giveBackOf(bytes);
      response.once('drain', giveBack).once('close', giveBack);
      // No drain follows what the socket has taken at once, or what was not written after all.
      setImmediate(() => void (response.writableLength === 0 && giveBack()));
    },
  };
}

/** The budget of the service that `response` is an answer of. */
export function budgetOf(response: Response): ByteBudget {
  return response.app.locals['budget'] as ByteBudget;
}

function overloaded(): Problem {
  const detail = 'Too many bytes are on their way to or from this process just now.';
  return new Problem(503, 'overloaded', 'Try again soon', detail, { headers: { 'Retry-After': '1' } });
}
