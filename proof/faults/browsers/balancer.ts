import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A load balancer: one address for several servers. It passes bytes, and ends its connections with those behind it. */
export interface Balancer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  close(): void;
}

/**
 * Opens a balancer.
 * @param targets returns the URLs of the running servers. They take turns; a server that does not listen is skipped.
 */
export async function openBalancer(targets: () => readonly string[]): Promise<Balancer> {
  const sockets = new Set<Socket>();
  let turn = 0;

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  }

  function link(near: Socket, candidates: readonly URL[]): void {
    const [target, ...others] = candidates;
    if (!target || near.destroyed) return void near.destroy();
    const far = keep(connect({ host: target.hostname, port: Number(target.port), noDelay: true }));
    let linked = false;
    far.on('connect', () => {
      linked = true;
      near.pipe(far).pipe(near);
      near.on('close', () => far.destroy());
    });
    far.on('close', () => (linked ? near.destroy() : link(near, others)));
  }

  const server = createServer({ noDelay: true, pauseOnConnect: true }, (near) => {
    const there = targets().map((url) => new URL(url));
    turn += 1;
    link(keep(near), [...there.slice(turn % there.length), ...there.slice(0, turn % there.length)]);
  }).listen(0, '127.0.0.1', 1_024);
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
