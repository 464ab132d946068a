import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for their turn, but for those that came in the same packet. */
const MOST_WAITING = 16;

/**
 * Handles the requests of a connection one after the other, however many are sent without waiting for answers: only safe
 * ones might be handled at once (RFC 9112 section 9.3.2). So a connection has one answer in memory, and that hears of it
 * when the client has gone, which Node.js does not tell answers that wait for their turn.
 */
export function inTurn(handle: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, (() => void)[]>();

  return (request, response) => {
    const { socket } = request;

    function act(): void {
      response.once('close', next);
      handle(request, response);
    }
    function next(): void {
      const queue = waiting.get(socket) ?? [];
      const following = queue.shift();
      if (!following) waiting.delete(socket);
      else if (socket.writable) following(); // after a last answer nothing is acted on (RFC 9112 section 9.6)
      if (queue.length < MOST_WAITING && socket.isPaused()) socket.resume();
    }

    const queue = waiting.get(socket);
    if (!queue) {
      waiting.set(socket, []);
      return act();
    }
    queue.push(act);
    if (queue.length >= MOST_WAITING) socket.pause();
  };
}
