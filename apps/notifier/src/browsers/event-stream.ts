import type { ServerResponse } from 'node:http';

/**
 * How soon a browser comes back after its stream broke, in milliseconds: anywhere in between, so that those who lost the
 * same notifier at the same moment do not come to the next one at the same moment.
 */
const RETRY_MS = [1_000, 3_000] as const;
/** The same after a good-bye, which all of a notifier's browsers are told at once. */
const AWAY_MS = [500, 5_000] as const;
/** A comment: it keeps proxies from closing a quiet stream, and finds out about dead clients. */
const HEARTBEAT = Buffer.from(':\n\n');

/** A response that has become a stream of server-sent events (https://html.spec.whatwg.org/#server-sent-events). */
export interface EventStream {
  /** Does nothing once the stream has been ended, or the client has gone. */
  write(event: Buffer): void;
  /** Ends the stream once what was written has gone out. */
  end(): void;
  /** The same for a client that is to come back, to whichever notifier is there. */
  sendAway(): void;
}

/** A stream for those who look after all of them. */
export interface KeptStream extends EventStream {
  beat(): void;
  /** To be called now and then. @returns what was written and has not gone out, in bytes; 0 once the client has gone */
  look(): number;
  /** Breaks it off: what has not gone out never will. */
  cut(): void;
}

export interface EventStreamOptions {
  /** Called once when the stream is over, whoever ended it. */
  onClose(): void;
  /** Called after a write, when the client has not taken all of it. */
  onBehind(): void;
  /** Called when the stream is broken off because the client was too far behind. */
  onCut(): void;
  /**
   * A client that has been further behind than this, in bytes, for a second, look by look, is cut off instead of being written to. So
   * one event may be larger, and so may be what is written in one turn of the event loop, before anything can go out.
   */
  mostBehind: number;
}

/** How long a client may be too far behind, in milliseconds. */
const PATIENCE_MS = 1_000;

export function openEventStream(response: ServerResponse, options: EventStreamOptions): KeptStream {
  const { onClose, onBehind, onCut, mostBehind } = options;
  response.writeHead(200, {
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform', // who compresses holds events back until a block is full
    'X-Accel-Buffering': 'no', // nginx would hold events back
  });
  response.flushHeaders(); // sent by themselves they are kept as one text, and not as the many parts of it
  response.once('close', onClose);

  /** When a look first found the client too far behind, and all later ones did. */
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
