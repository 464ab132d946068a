import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A direction of a connection: `requests` from the client, `answers` from the server, or both. */
export type Direction = 'both' | 'requests' | 'answers';

/** A TCP proxy to a server, which a test can cut, hold and shut. */
export interface Proxy {
  /** The URL of the target, with the proxy's address. */
  readonly url: string;
  /** Destroys all connections, as the end of a server does. New ones are accepted. */
  cut(): void;
  /**
   * Stops passing bytes on the existing connections, but keeps them open on both sides, like a silent network failure.
   * An end or a reset of one side does not reach the other. Later connections pass bytes.
   *
   * @param direction @default 'both'
   */
  hold(direction?: Direction): void;
  /** Passes the held bytes and all later ones. @default 'both' */
  letGo(direction?: Direction): void;
  /** Refuses new connections, and keeps the existing ones. */
  shut(): void;
  /** Accepts connections again, on the same port. */
  open(): Promise<void>;
  /** Destroys all connections and stops listening. Resolves when the proxy has ended. */
  close(): Promise<void>;
}

// Below the outgoing ports of Linux (32768 up) and the ports of the embedded servers (20000 up), so that no other
// program takes the proxy's port while the proxy is shut.
const FIRST_PORT = 10_000;
const PORTS = 10_000;

/**
 * Opens a TCP proxy on 127.0.0.1.
 *
 * @param targetUrl a URL with a port, such as `amqp://127.0.0.1:5672/vhost`
 */
export async function openProxy(targetUrl: string): Promise<Proxy> {
  const target = new URL(targetUrl);
  if (target.port === '') throw new TypeError(`a proxy's target needs a port: ${target.protocol}//${target.host}`);
  /** The pairs of sockets. `held` has the sockets from which no bytes are passed. */
  const links = new Set<{ near: Socket; far: Socket; held: Set<Socket> }>();

  function link(near: Socket): void {
    const far = connect({ port: Number(target.port), host: target.hostname, noDelay: true });
    const both = { near, far, held: new Set<Socket>() };
    links.add(both);
    const passEnd = (from: Socket, to: Socket) => () => {
      if (!both.held.has(from)) to.destroy();
      if (to.closed) links.delete(both);
    };
    near.on('error', () => undefined).on('close', passEnd(near, far));
    far.on('error', () => undefined).on('close', passEnd(far, near));
    near.pipe(far).pipe(near);
  }

  /** The sockets from and to which the bytes of `direction` pass. */
  const streams = (direction: Direction): { from: Socket; to: Socket; held: Set<Socket> }[] =>
    [...links].flatMap(({ near, far, held }) => {
      const [requests, answers] = [
        { from: near, to: far, held },
        { from: far, to: near, held },
      ] as const;
      if (direction === 'both') return [requests, answers];
      return [direction === 'requests' ? requests : answers];
    });
  function cut(): void {
    for (const { near, far } of links) {
      near.destroy();
      far.destroy();
    }
  }
  let server: Server | undefined = await listenAnywhere(link);
  const { port } = server.address() as { port: number };
  const shut = () => {
    server?.close(); // refuses new connections at once, and calls back when the existing ones have ended
    server = undefined;
  };

  return {
    url: Object.assign(new URL(targetUrl), { host: `127.0.0.1:${port}` }).href,
    cut,
    hold(direction = 'both') {
      for (const { from, to, held } of streams(direction)) {
        held.add(from);
        from.unpipe(to).pause();
      }
    },
    letGo(direction = 'both') {
      for (const { from, to, held } of streams(direction)) {
        held.delete(from);
        if (from.closed) to.destroy();
        else from.unpipe(to).pipe(to);
      }
    },
    shut,
    open: async () => void (server ??= await listen(port, link)),
    async close() {
      cut();
      shut();
      const open = [...links].flatMap(({ near, far }) => [near, far]).filter(({ closed }) => !closed);
      await Promise.all(open.map((socket) => once(socket, 'close')));
    },
  };
}

async function listen(port: number, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, onConnection).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function listenAnywhere(onConnection: (socket: Socket) => void): Promise<Server> {
  for (;;) {
    try {
      return await listen(FIRST_PORT + Math.floor(Math.random() * PORTS), onConnection);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}
