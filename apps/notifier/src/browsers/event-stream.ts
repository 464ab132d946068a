import type { ServerResponse } from 'node:http';

/**
 * Milliseconds until a browser reconnects after its stream broke, chosen at random between these. So the browsers of a
 * lost notifier do not reconnect to another at the same moment.
 */
const RETRY_MS = [1_000, 3_000] as const;
/** The same when the notifier stops and sends all its browsers away at once. */
const AWAY_MS = [500, 5_000] as const;
/** A comment, which keeps proxies from closing a quiet stream and detects dead clients. */
const HEARTBEAT = Buffer.from(':\n\n');

/** A response that has become a stream of server-sent events (https://html.spec.whatwg.org/#server-sent-events). */
export interface EventStream {
  /** Writes an event. Does nothing after the end of the stream. */
  write(event: Buffer): void;
  /** Ends the stream after all written events are sent. */
  end(): void;
  /** Ends the stream in the same way, and makes the browser reconnect to another notifier. */
  sendAway(): void;
}

/** A stream with the methods for the owner of all streams. */
export interface KeptStream extends EventStream {
  beat(): void;
  /**
   * Checks the client; to be called regularly.
   *
   * @returns bytes that are written and not sent; 0 when the client has gone
   */
  look(): number;
  /** Cuts the connection. Bytes that are not sent are lost. */
  cut(): void;
}

/** Options of {@link openEventStream}. */
export interface EventStreamOptions {
  /** Called once when the stream is over, on either side. */
  onClose(): void;
  /** Called after a write that the client has not taken completely. */
  onBehind(): void;
  /** Called when the stream is cut because the client was too far behind. */
  onCut(): void;
  /**
   * Most bytes that a client may be behind. A client that is further behind at each check for a second is cut. One
   * event may be larger than this, and so may be all events of one turn of the event loop, which are sent later.
   */
  mostBehind: number;
}

/** Milliseconds that a client may be too far behind. */
const PATIENCE_MS = 1_000;

/** Turns a response into an event stream, and sends its head. */
export function openEventStream(response: ServerResponse, options: EventStreamOptions): KeptStream {
  const { onClose, onBehind, onCut, mostBehind } = options;
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform', // who compresses holds events back until a block is full
    'X-Accel-Buffering': 'no', // nginx would hold events back
  });
  response.flushHeaders(); // sent alone, they are kept in memory as one text instead of many parts
  response.once('close', onClose);

  /** When a check first found the client too far behind; null if the last check did not. */
  let lateSince: number | null = null;

  const isOver = (): boolean => response.writableEnded || response.destroyed;
  const isFarBehind = (): boolean => response.writableLength > mostBehind;
  function write(event: Buffer): void {
    if (isOver()) return;
    if (lateSince !== null && isFarBehind() && performance.now() - lateSince > PATIENCE_MS) return cut();
    if (!response.write(event)) onBehind();
  }
  function end(): void {
    if (!isOver()) response.end();
  }
  function cut(): void {
    onCut();
    response.destroy();
  }

  write(retry(RETRY_MS));
  return {
    write,
    end,
    cut,
    sendAway() {
      write(retry(AWAY_MS));
      end();
    },
    beat: () => write(HEARTBEAT),
    look() {
      if (response.destroyed) return 0;
      lateSince = isFarBehind() ? (lateSince ?? performance.now()) : null;
      return response.writableLength;
    },
  };
}

function retry([from, to]: readonly [number, number]): Buffer {
  return Buffer.from(`retry: ${Math.round(from + (to - from) * Math.random())}\n\n`);
}
