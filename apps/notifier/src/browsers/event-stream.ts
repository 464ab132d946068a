import type { Response } from 'express';

/** A comment now and then keeps proxies from closing a quiet stream, and finds out about dead clients. */
const HEARTBEAT_MS = 15_000;
/** How soon a browser comes back after the stream broke; after a good-bye it is up to three times that. */
const RETRY_MS = 1_000;
/** A reader this far behind, in bytes, is cut off; it gets a fresh snapshot when it is back. */
const MAX_BEHIND = 4 * 1024 * 1024;

/** A response that has become a stream of server-sent events (https://html.spec.whatwg.org/#server-sent-events). */
export interface EventStream {
  write(text: string): void;
  /** Ends the stream once what was written has gone out. */
  end(): void;
  /** The same for a client that is to come back, to whichever notifier is there: not all of them at the same moment. */
  sendAway(): void;
}

/** @param onClose called once when the stream is over, whoever ended it */
export function openEventStream(response: Response, onClose: () => void): EventStream {
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no', // nginx would hold events back
  });
  response.write(`retry: ${RETRY_MS}\n\n`);
  const heartbeat = setInterval(() => write(':\n\n'), HEARTBEAT_MS);
  response.on('close', () => {
    clearInterval(heartbeat);
    onClose();
  });

  function write(text: string): void {
    if (response.writableEnded || response.destroyed) return;
    if (response.writableLength > MAX_BEHIND) return void response.destroy();
    response.write(text);
  }

  function end(): void {
    clearInterval(heartbeat);
    response.end();
  }

  return {
    write,
    end,
    sendAway() {
      write(`retry: ${Math.round(RETRY_MS * (0.5 + 2.5 * Math.random()))}\n\n`);
      end();
    },
  };
}
