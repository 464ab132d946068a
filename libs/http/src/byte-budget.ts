import type { ServerResponse } from 'node:http';
import type { Response } from 'express';
import { Counter, Gauge, type Registry } from 'prom-client';
import { Problem } from './problem.ts';

/** Bodies and answers of at most this many bytes are not counted: the number of connections bounds them. */
export const UNCOUNTED_BYTES = 16 * 1024;

/** When the budget may cut off a slow client. */
export interface ByteBudgetOptions {
  /**
   * Milliseconds without a byte of the request body, after which the budget may cut off the client to free its bytes.
   * @default 2_000
   */
  idleMs?: number;
  /** Milliseconds in which a client reads nothing of a counted answer before it is cut off. @default 10_000 */
  stalledMs?: number;
  /**
   * Milliseconds that a body may take to arrive, or an answer to be read. After that, the budget may cut off the client
   * to free its bytes. @default 5_000
   */
  patienceMs?: number;
}

/** A body that arrives, or an answer that its client reads: the client may be slow. */
interface Slow {
  /** When it began. */
  since: number;
  /** From this time on the budget may cut it off, however young it is. */
  idleAt: number;
  cut(): void;
}

/**
 * Limits the bytes that a process holds for its clients at once: bodies that arrive, and answers that are not read yet.
 * When the bytes do not suffice, the budget cuts off the slowest clients first and then refuses requests with 503.
 */
export interface ByteBudget {
  /**
   * Counts the body of a request until its answer ends or `release` is called.
   *
   * @param cut is called with Problem 408 `request-timeout` if the body arrives too slowly and others need its bytes
   * @returns a function to call with the number of bytes that have arrived so far. It throws Problem 503 `overloaded`
   *   if they exceed the budget.
   */
  body(response: ServerResponse, cut: (late: Problem) => void): (bytes: number) => void;
  /** Reports that the whole body has arrived: the budget no longer regards its client as slow. */
  arrived(response: ServerResponse): void;
  /** Stops counting the body, because the process keeps nothing of it. @returns whether the body was counted */
  release(response: ServerResponse): boolean;
  /**
   * Counts an answer until it ends. The budget cuts off a client that does not read the answer.
   *
   * @param changed whether the request has changed data. Its answer is then counted but never refused.
   * @throws Problem 503 `overloaded` if the answer exceeds the budget
   */
  answer(response: Response, bytes: number, changed: boolean): void;
  /** Counts what is written to a stream until the client has read it. @throws Problem 503 `overloaded` */
  written(response: ServerResponse, bytes: number): void;
}

/**
 * Makes the byte budget of a service, with its metrics.
 *
 * @param most bytes at once. A single body or answer may be larger while there is no other.
 */
export function createByteBudget(most: number, metrics: Registry, options: ByteBudgetOptions = {}): ByteBudget {
  const { idleMs = 2_000, stalledMs = 10_000, patienceMs = 5_000 } = options;
  let held = 0;
  /** Bodies and answers that wait for their clients, oldest first. */
  const slow = new Set<Slow>();
  const bodies = new WeakMap<ServerResponse, { giveBack: () => void; coming: Slow }>();
  const registers = [metrics];
  /**
   * A value near MAX_BYTES_IN_FLIGHT means that large bodies or slow readers take the room. Find the client, or raise
   * the setting.
   */
  new Gauge({
    name: 'http_bytes_in_flight',
    help: 'Bytes of large bodies that come in and of large answers that are not yet read',
    registers,
    collect() {
      this.set(held);
    },
  });
  /**
   * A rise means that clients get 503 because MAX_BYTES_IN_FLIGHT is used up. Add apis, raise the setting, or send
   * smaller batches.
   */
  const refused = new Counter({
    name: 'http_overloaded_total',
    help: 'Requests refused because too many bytes were in flight',
    registers,
  });
  /** A rise means that slow clients lost their answers to others. Look for a client or a proxy that reads slowly. */
  const cuts = new Counter({
    name: 'http_readers_cut_total',
    help: 'Answers and bodies cut off because their bytes were needed and their client was slow',
    registers,
  });

  /** @param own the body or answer that needs the bytes: it is not cut off */
  function makeRoom(bytes: number, own?: Slow): void {
    for (const each of slow) {
      if (held + bytes <= most) return;
      const now = performance.now();
      if (each === own || (now - each.since < patienceMs && now < each.idleAt)) continue;
      cuts.inc();
      slow.delete(each);
      each.cut();
    }
  }

  /**
   * @param own the body that the bytes belong to
   * @param ownBytes how many of the held bytes belong to that body already
   */
  function take(bytes: number, mayRefuse = true, own?: Slow, ownBytes = 0): void {
    if (held + bytes > most) makeRoom(bytes, own);
    if (mayRefuse && held > ownBytes && held + bytes > most) {
      refused.inc();
      throw overloaded();
    }
    held += bytes;
  }

  /** @returns a function that gives the bytes back. Only its first call has an effect. */
  function giveBackOf(bytes: number): () => void {
    let left = bytes;
    return () => {
      held -= left;
      left = 0;
    };
  }

  /** Lets the budget cut off this client, until `response` ends. */
  function mayCut(response: ServerResponse, giveBack: () => void, cut = (): unknown => response.destroy()): Slow {
    const begun: Slow = {
      since: performance.now(),
      idleAt: Infinity,
      cut() {
        giveBack();
        cut();
      },
    };
    slow.add(begun);
    response.once('close', () => {
      slow.delete(begun);
      giveBack();
    });
    return begun;
  }

  return {
    body(response, cut) {
      let counted = 0;
      let coming: Slow | undefined;
      function begin(): Slow {
        const giveBack = (): void => {
          held -= counted;
          counted = 0;
        };
        const begun = mayCut(response, giveBack, () => {
          response.shouldKeepAlive = false;
          cut(tooSlow());
        });
        bodies.set(response, { giveBack, coming: begun });
        return begun;
      }
      return (bytes) => {
        // The `close` event of a client that has left has fired already: nothing would give its bytes back.
        if (bytes <= UNCOUNTED_BYTES || bytes <= counted || response.destroyed) return;
        take(bytes - counted, true, coming, counted);
        counted = bytes;
        coming ??= begin();
        coming.idleAt = performance.now() + idleMs;
      };
    },
    arrived(response) {
      const body = bodies.get(response);
      if (body) slow.delete(body.coming);
    },
    release(response) {
      const body = bodies.get(response);
      body?.giveBack();
      return body !== undefined;
    },
    answer(response, bytes, changed) {
      if (bytes <= UNCOUNTED_BYTES || response.req.method === 'HEAD' || response.destroyed) return;
      take(bytes, !changed);
      mayCut(response, giveBackOf(bytes));
      response.setTimeout(stalledMs); // the server destroys a response that times out
    },
    written(response, bytes) {
      if (bytes <= UNCOUNTED_BYTES || response.destroyed) return;
      take(bytes);
      const giveBack = giveBackOf(bytes);
      const reading = mayCut(response, giveBack);
      const read = (): void => {
        slow.delete(reading);
        giveBack();
      };
      response.once('drain', read);
      // No `drain` follows if the socket takes the bytes at once, or if they are not written after all.
      setImmediate(() => void (response.writableLength === 0 && read()));
    },
  };
}

/** The budget of the service that sends `response`. */
export function budgetOf(response: Response): ByteBudget {
  return response.app.locals['budget'] as ByteBudget;
}

function overloaded(): Problem {
  const detail = 'Too many bytes are on their way to or from this process just now.';
  return new Problem(503, 'overloaded', 'Try again soon', detail, { headers: { 'Retry-After': '1' } });
}

function tooSlow(): Problem {
  const detail = 'The body arrives too slowly, and other requests need its memory.';
  return new Problem(408, 'request-timeout', 'The request took too long', detail);
}
