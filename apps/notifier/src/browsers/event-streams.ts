import type { ServerResponse } from 'node:http';
import { Counter, setTicker, type Registry } from '@offload/process';
import { openEventStream, type EventStream, type KeptStream } from './event-stream.ts';

/** Options of {@link createEventStreams}. */
export interface EventStreamsOptions {
  /** Interval of heartbeats on each stream, in milliseconds. @default 15_000 */
  heartbeatMs?: number;
  /**
   * Most bytes that a reader may be behind for a second before it is cut off. It gets the current job when it
   * reconnects.
   * @default 1 MiB
   */
  mostBehind?: number;
  /** The same for all readers together: the reader that is furthest behind is cut first. @default 256 MiB */
  mostBehindTogether?: number;
}

const defaults = { heartbeatMs: 15_000, mostBehind: 1024 ** 2, mostBehindTogether: 256 * 1024 ** 2 };

/** Interval between checks of the streams, in milliseconds. Each check sends a heartbeat to a part of them. */
const TICK_MS = 250;

/** The open event streams of this process. */
export interface EventStreams {
  /** Opens a stream. @param onClose is called once when the stream is over, on either side */
  open(response: ServerResponse, onClose: () => void): EventStream;
  /** Stops the heartbeats. */
  close(): void;
}

/** Keeps streams alive, and limits what their readers leave unread. */
export function createEventStreams(metrics: Registry, options: EventStreamsOptions = {}): EventStreams {
  const { heartbeatMs, mostBehind, mostBehindTogether } = { ...defaults, ...options };
  const streams = new Set<KeptStream>();
  /** The streams whose clients did not take the last write at once. */
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

  // One timer for all streams, a part of them at a time: the iterator of a set continues when streams are added or
  // removed.
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
