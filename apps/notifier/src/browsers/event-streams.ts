import type { ServerResponse } from 'node:http';
import { Counter, setTicker, type Registry } from '@offload/process';
import { openEventStream, type EventStream, type KeptStream } from './event-stream.ts';

export interface EventStreamsOptions {
  /** Each stream is written to at least this often, in milliseconds. @default 15_000 */
  heartbeatMs?: number;
  /**
   * A reader that has been further behind than this, in bytes, for a second is cut off; it gets the job as it is then when it
   * is back. @default 1 MiB
   */
  mostBehind?: number;
  /** All readers together, by the same count: who is furthest behind goes first. @default 256 MiB */
  mostBehindTogether?: number;
}

const defaults = { heartbeatMs: 15_000, mostBehind: 1024 ** 2, mostBehindTogether: 256 * 1024 ** 2 };

/** How often it is looked after the streams, in milliseconds; each time a part of them gets its heartbeat. */
const TICK_MS = 250;

/** The open event streams of this process. */
export interface EventStreams {
  /** @param onClose called once when the stream is over, whoever ended it */
  open(response: ServerResponse, onClose: () => void): EventStream;
  /** No more heartbeats. */
  close(): void;
}

/** Keeps streams alive, and what their readers leave unread within bounds. */
export function createEventStreams(metrics: Registry, options: EventStreamsOptions = {}): EventStreams {
  const { heartbeatMs, mostBehind, mostBehindTogether } = { ...defaults, ...options };
  const streams = new Set<KeptStream>();
  /** Those that did not take all of what they were sent at once. */
  const late = new Set<KeptStream>();
  /**
   * A rise means that readers are slow or have stopped reading. Each stream may lag by one MiB for a second, all
   * together by 256 MiB. Browsers reconnect by themselves; look for a proxy that holds back answers.
   */
  const cuts = new Counter({
    name: 'offload_watchers_cut_total',
    help: 'Event streams that were cut off because their reader was too far behind',
    registers: [metrics],
  });

  // One timer for all, and never all at once: a set's iterator goes on where it was, whoever comes and goes.
  let round = streams.values();
  let due = 0;
  function beatSome(): void {
    for (due += (streams.size * TICK_MS) / heartbeatMs; due >= 1; due -= 1) {
      let { value: stream } = round.next();
      stream ??= (round = streams.values()).next().value;
      stream?.beat();
    }
  }

  function boundLate(): void {
    const behind = new Map([...late].map((stream) => [stream, stream.look()]));
    for (const [stream, bytes] of behind) if (bytes === 0) late.delete(stream);
    let together = [...behind.values()].reduce((sum, bytes) => sum + bytes, 0);
    if (together <= mostBehindTogether) return;
    for (const [stream, bytes] of [...behind].sort(([, one], [, other]) => other - one)) {
      if (together <= mostBehindTogether) return;
      together -= bytes;
      stream.cut();
    }
  }

  const tick = setTicker(() => {
    beatSome();
    boundLate();
  }, TICK_MS).unref();

  return {
    open(response, onClose) {
      const stream = openEventStream(response, {
        mostBehind,
        onClose() {
          streams.delete(stream);
          late.delete(stream);
          onClose();
        },
        onBehind: () => void late.add(stream),
        onCut: () => cuts.inc(),
      });
      streams.add(stream);
      return stream;
    },
    close: () => clearInterval(tick),
  };
}
