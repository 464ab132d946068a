import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection that sends exactly what it is told to. */
export interface RawClient {
  socket: Socket;
  send(text: string | Buffer): void;
  /** resolves with everything that has come once it matches */
  received(pattern: RegExp): Promise<string>;
  /** resolves with everything that has come once the server has closed the connection */
  closed: Promise<string>;
  /** what went wrong with the connection; a reset is a way to close it, too */
  errors: Error[];
}

/**
 * Opens a connection.
 *
 * @param allowHalfOpen whether it stays open to send when the server has closed its direction
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

/** Takes apart what is exactly one answer. @throws when it is none, or more */
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
