import type { ServerResponse } from 'node:http';
import type { Response } from 'express';
import { Counter, Gauge, type Registry } from 'prom-client';
import { Problem } from './problem.ts';

/** Bodies and answers of up to so many bytes are not counted: how many connections there are bounds those. */
export const UNCOUNTED_BYTES = 16 * 1024;

export interface ByteBudgetOptions {
  /**
   * A client that has sent nothing of its body for so long may be cut off when bytes are needed, in milliseconds.
   * @default 2_000
   */
  idleMs?: number;
  /** A client that has taken nothing of a counted answer for so long is cut off, in milliseconds. @default 10_000 */
  stalledMs?: number;
  /**
   * What takes longer to come in, or to be read, may be cut off when its bytes are needed, in milliseconds. @default
   * 5_000
   */
  patienceMs?: number;
}

/** A body that comes in, or an answer that is read: its client may be slow. */
interface Slow {
  /** When it began. */
  since: number;
  /** When it may be cut off, however young it is. */
  idleAt: number;
  cut(): void;
}

/**
 * The bytes that a process may hold for its clients at once: bodies that come in, and answers that are not yet read.
 */
export interface ByteBudget {
  /**
   * Counts the body of a request until its answer is over, or `release`.
   *
   * @param cut called with Problem 408 `request-timeout` when the body comes in too slowly and its bytes are needed
   * @returns to be called with how many bytes of it have come by now; throws Problem 503 `overloaded` when those are
   *   too many
   */
  body(response: ServerResponse, cut: (late: Problem) => void): (bytes: number) => void;
  /** The body has come to its end: its client is not slow any more. */
  arrived(response: ServerResponse): void;
  /** Counts the body no longer: nothing of it is kept. @returns whether it was counted */
  release(response: ServerResponse): boolean;
  /**
   * Counts an answer until it is over, and cuts its client off when that does not read it.
   *
   * @param changed whether the request has changed something: its answer is counted, but never refused
   * @throws Problem 503 `overloaded`
   */
  answer(response: Response, bytes: number, changed: boolean): void;
  /** Counts what is written to a stream, until the client has read it. @throws Problem 503 `overloaded` */
  written(response: ServerResponse, bytes: number): void;
}

/** @param most bytes at once; a single body or answer may be larger, when there is no other */
export function createByteBudget(most: number, metrics: Registry, options: ByteBudgetOptions = {}): ByteBudget {
  const { idleMs = 2_000, stalledMs = 10_000, patienceMs = 5_000 } = options;
  let held = 0;
  /** What waits for its client, oldest first. */
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

  /** @param own what the room is for */
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
   * @param own the body that they belong to
   * @param ownBytes how many of those that are held belong to it
   */
  function take(bytes: number, mayRefuse = true, own?: Slow, ownBytes = 0): void {
    if (held + bytes > most) makeRoom(bytes, own);
    if (mayRefuse && held > ownBytes && held + bytes > most) {
      refused.inc();
      throw overloaded();
    }
    held += bytes;
  }

  /** @returns what gives the bytes back; only its first call counts */
  function giveBackOf(bytes: number): () => void {
    let left = bytes;
    return () => {
      held -= left;
      left = 0;
    };
  }

  /** From now on its client is cut off where the bytes are needed, until `response` is over. */
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
        // Bytes of a client that has left would never be given back: its close has been.
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
      response.setTimeout(stalledMs); // the server destroys what times out
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
      // No drain follows what the socket has taken at once, or what was not written after all.
      setImmediate(() => void (response.writableLength === 0 && read()));
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

function tooSlow(): Problem {
  const detail = 'It comes in too slowly, and others need the room.';
  return new Problem(408, 'request-timeout', 'The request took too long', detail);
}
