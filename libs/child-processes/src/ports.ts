import { createServer } from 'node:net';

// Below the range of outgoing ports in Linux (32768 up), so that no outgoing connection takes the port of a server
// while that restarts.
const FIRST = 20_000;
const COUNT = 12_000;
const handedOut = new Set<number>();

/** Whether `port` is free on 127.0.0.1 and on the wildcard addresses, where a server might listen. */
export async function portIsFree(port: number): Promise<boolean> {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, undefined));
}

/**
 * Finds a free TCP port: the first free one of `preferred`, or any other. The port is not reserved, but this process
 * never gets the same one twice.
 *
 * @throws Error when a thousand ports in a row are taken
 */
export async function freePort(...preferred: number[]): Promise<number> {
  const random = Array.from({ length: 1000 }, () => FIRST + Math.floor(Math.random() * COUNT));
  for (const port of [...preferred, ...random]) {
    if (handedOut.has(port)) continue;
    handedOut.add(port);
    if (await portIsFree(port)) return port;
    handedOut.delete(port);
  }
  throw new Error('No free TCP port could be found on this machine.');
}

function canListen(port: number, host: string | undefined): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
