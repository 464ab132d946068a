import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection that sends exactly the given bytes. */
export interface RawClient {
  socket: Socket;
  send(text: string | Buffer): void;
  /** Resolves with all received text when it matches. */
  received(pattern: RegExp): Promise<string>;
  /** Resolves with all received text when the server has closed the connection. */
  closed: Promise<string>;
  /** Errors of the connection. A server may also close it by a reset. */
  errors: Error[];
}

/**
 * Opens a connection.
 *
 * @param allowHalfOpen whether the client may go on sending after the server has closed its direction
 */
export async function openRaw(port: number, allowHalfOpen = false): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen });
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  const errors: Error[] = [];
  socket.on('error', (error) => errors.push(error));
  await once(socket, 'connect');
  return {
    socket,
    send: (octets) => void socket.write(octets),
    closed,
    errors,
    received(pattern) {
      return new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(text)) resolve(text);
        };
        socket.on('data', look);
        socket.once('close', () => reject(new Error(`closed, and no ${pattern} in: ${text}`)));
        look();
      });
    },
  };
}

/** Parses exactly one answer. @throws Error when the text is not one answer */
export function parseAnswer(text: string): { status: number; headers: Headers; body: string } {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const body = rest.join('\r\n\r\n');
  const [statusLine = '', ...fields] = head.split('\r\n');
  const [, status] = /^HTTP\/1\.1 (\d{3}) ./.exec(statusLine) ?? [];
  if (status === undefined) throw new Error(`no answer: ${text}`);
  const headers = new Headers(fields.map((field) => field.split(/: ?(.*)/s).slice(0, 2) as [string, string]));
  const length = Number(headers.get('content-length'));
  if (length !== body.length) throw new Error(`${body.length} octets instead of ${length}: ${text}`);
  return { status: Number(status), headers, body };
}
