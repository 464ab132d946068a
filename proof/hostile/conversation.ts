import { connect, type Socket } from 'node:net';
import type { Script } from './script.ts';

/** The result of one connection. */
export interface Conversation {
  octets: Buffer;
  /** `left`: this side has left. `hung`: the server has not closed the connection in time. */
  end: 'closed' | 'reset' | 'left' | 'hung';
}

/** Most milliseconds of a conversation. */
const LIMIT_MS = 10_000;

/** Sends the pieces one by one on a new connection, and reads all bytes until the end. */
export async function converse(
  port: number,
  { pieces, ending, afterMs }: Pick<Script, 'pieces' | 'ending' | 'afterMs'>,
): Promise<Conversation> {
  const chunks: Buffer[] = [];
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const end = await new Promise<Conversation['end']>((resolve) => {
    const timers = [setTimeout(() => over('hung'), LIMIT_MS)];
    function over(how: Conversation['end']): void {
      for (const timer of timers) clearTimeout(timer);
      resolve(how);
    }
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => over('closed'));
    socket.on('close', () => over('reset')); // no `end` before it
    socket.on('error', () => undefined); // `close` follows
    void sendAll(socket, pieces).then(() => {
      if (ending === 'half-close') socket.end();
      if (ending !== 'reset' && ending !== 'vanish') return;
      timers.push(
        setTimeout(() => {
          over('left');
          if (ending === 'reset') socket.resetAndDestroy();
        }, afterMs),
      );
    });
  });
  socket.destroy();
  return { octets: Buffer.concat(chunks), end };
}

/** Resolves when all pieces are sent, or the connection is closed. */
async function sendAll(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (socket.destroyed) return;
    await new Promise<void>((resolve) => {
      // One turn of the event loop for each piece, so that no two are sent as one segment.
      socket.write(piece, () => setImmediate(resolve));
    });
  }
}
