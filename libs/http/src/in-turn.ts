import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Most requests of one connection that wait for their turn, beside those of the same packet. */
const MOST_WAITING = 16;

/**
 * Handles the requests of a connection one after the other, even if the client pipelines them: only safe requests might
 * run in parallel (RFC 9112 section 9.3.2). A connection then has one answer in memory. That answer also gets `close`
 * when the client has gone; Node.js does not emit it on answers that wait for their turn.
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
