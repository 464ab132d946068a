// The browsers of `npm run watching`, many in one process: each is a socket that opens a stream and reads it. The
// process is forked. It executes orders from messages one after the other, and answers each.
import { connect, type Socket } from 'node:net';
import { countLatencies, type Counts } from './latencies.ts';
import { DIGITS, MARK, microseconds } from './sent-at.ts';

/** An order to a crowd. */
export type Order =
  /** Opens one browser for each path, from the address at the same place if there is one, `atOnce` at a time. */
  | { order: 'open'; port: number; paths: string[]; addresses: string[]; atOnce: number }
  /** How long events took that came since it was asked last. */
  | { order: 'tell' }
  | { order: 'close' };

/** The answer of a crowd. */
export interface Told {
  /** Times that events with a sending time took to arrive. */
  latencies: Counts;
  /** Streams that have ended without an order. */
  broken: number;
}

const STREAM_BEGINS = Buffer.from('\r\n\r\n');
const EVENT_ENDS = Buffer.from('\n\n');
/** One buffer for all sockets: received bytes are processed before the next read. */
const buffer = Buffer.allocUnsafe(256 * 1024);

let latencies = countLatencies();
let broken = 0;
const sockets = new Set<Socket>();

/** Resolves when the answer has begun, with the first event or the time to reconnect. */
function open(port: number, path: string, localAddress: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let rest: Buffer | null = null;
    let begun = false;

    function read(length: number): boolean {
      const chunk = buffer.subarray(0, length);
      const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
      const end = bytes.lastIndexOf(EVENT_ENDS);
      if (!begun && end > bytes.indexOf(STREAM_BEGINS)) {
        begun = true;
        if (!bytes.toString('latin1', 0, 15).startsWith('HTTP/1.1 200')) reject(new Error(bytes.toString('latin1')));
        resolve();
      }
      for (let at = bytes.indexOf(MARK); at >= 0 && at < end; at = bytes.indexOf(MARK, at + MARK.length)) {
        const from = at + MARK.length;
        latencies.add((microseconds() - Number(bytes.toString('latin1', from, from + DIGITS))) / 1_000);
      }
      // At most the end of its chunk follows the event.
      rest = bytes.length - end <= EVENT_ENDS.length + 2 ? null : Buffer.from(bytes.subarray(Math.max(0, end)));
      return true;
    }

    const socket = connect({
      host: '127.0.0.1',
      port,
      ...(localAddress && { localAddress }),
      noDelay: true,
      onread: { buffer, callback: read },
    });
    sockets.add(socket);
    socket.on('connect', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: notifier\r\nAccept: text/event-stream\r\n\r\n`),
    );
    socket.on('error', reject);
    socket.on('close', () => {
      if (!sockets.delete(socket)) return;
      broken += 1;
      reject(new Error(`the stream ${path} has ended`));
    });
  });
}

async function openAll({ port, paths, addresses, atOnce }: Extract<Order, { order: 'open' }>): Promise<void> {
  const left = [...paths.keys()].reverse();
  const one = async (): Promise<void> => {
    for (let at = left.pop(); at !== undefined; at = left.pop()) {
      await open(port, paths[at] as string, addresses[at % addresses.length]);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}

async function obey(order: Order): Promise<Told> {
  if (order.order === 'open') await openAll(order);
  if (order.order === 'close') {
    const all = [...sockets];
    sockets.clear();
    for (const socket of all) socket.destroy();
  }
  const told = { latencies: latencies.counts(), broken };
  if (order.order === 'tell') latencies = countLatencies();
  return told;
}

process.on('message', (order: Order) => {
  void obey(order).then(
    (told) => process.send?.(told),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
