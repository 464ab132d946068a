import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a connection carries: what its client sends, what the server answers, or both. */
export type Direction = 'both' | 'requests' | 'answers';

/** A way to a server that can be cut, held up and shut. */
export interface Proxy {
  /** the target's, with the proxy's address in it */
  readonly url: string;
  /** destroys all connections, as when the server goes; new ones are accepted */
  cut(): void;
  /**
   * Passes nothing more on the connections there are, yet leaves them open on both sides, as when the network goes
   * without a word: neither the end nor the reset of one side reaches the other. Later connections are not concerned.
   * @param direction @default 'both'
   */
  hold(direction?: Direction): void;
  /** passes what was held, and again what comes @default 'both' */
  letGo(direction?: Direction): void;
  /** refuses new connections; those there are stay */
  shut(): void;
  /** accepts connections again, on the same port */
  open(): Promise<void>;
  /** cuts and shuts; resolves when nothing of it is left */
  close(): Promise<void>;
}

// Below the ports that Linux takes for outgoing connections (32768 up) and those of the embedded servers (20000 up):
// nobody sits on the proxy's while it is shut.
const FIRST_PORT = 10_000;
const PORTS = 10_000;

/**
 * Opens a TCP proxy on 127.0.0.1.
 * @param targetUrl a URL with a port in it, such as `amqp://127.0.0.1:5672/vhost`
 */
export async function openProxy(targetUrl: string): Promise<Proxy> {
  const target = new URL(targetUrl);
  if (target.port === '') throw new TypeError(`a proxy's target needs a port: ${target.protocol}//${target.host}`);
  /** `held` are those of the two from which nothing is passed on. */
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

  /** from where to where the bytes of `direction` go */
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
    server?.close(); // calls back once the connections have ended, yet refuses new ones at once
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
