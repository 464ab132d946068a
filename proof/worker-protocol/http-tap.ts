import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request of a worker, and its answer. */
export interface Call {
  method: string;
  path: string;
  /** By performance.now(): when it came, and when it was answered. */
  at: number;
  answered?: { status: number; at: number };
}

/** A way to the api that notes the calls that go through it. */
export interface HttpTap {
  readonly url: string;
  readonly calls: readonly Call[];
  /** Cuts what is under way, and answers nothing until `mend`: the api is away. */
  cut(): void;
  mend(): void;
  close(): void;
}

export async function openHttpTap(apiUrl: string): Promise<HttpTap> {
  const calls: Call[] = [];
  let isAway = false;
  const server = createServer((incoming, outgoing) => {
    if (isAway) return void incoming.destroy();
    const { method = '', url: path = '', headers } = incoming;
    const call: Call = { method, path, at: performance.now() };
    calls.push(call);
    const onward = request(new URL(path, apiUrl), { method, headers: { ...headers, host: new URL(apiUrl).host } });
    onward.on('response', (answer) => {
      call.answered = { status: answer.statusCode ?? 0, at: performance.now() };
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.on('error', () => onward.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    cut() {
      isAway = true;
      server.closeAllConnections();
    },
    mend: () => void (isAway = false),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
