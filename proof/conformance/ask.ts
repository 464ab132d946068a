import { Agent, request } from 'node:http';
import type { Answer } from './answer.ts';

/** A request. */
export interface Call {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array | null;
}

/** Sends a request and resolves with its answer. */
export type Ask = (url: string, call: Call) => Promise<Answer>;

/** Makes a client that sends the given request and adds only `Host` and `Content-Length`. fetch adds more. */
export function openClient(): { ask: Ask; close(): void } {
  const agent = new Agent({ keepAlive: true });

  function ask(url: string, { method, path, headers, body }: Call): Promise<Answer> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const call = request({ agent, method, path, hostname, port, headers: { ...length, ...headers } }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const given = Object.entries(response.headersDistinct).map(([name, values = []]) => [
            name,
            values.join(', '),
          ]);
          const answered = { headers: Object.fromEntries(given) as Record<string, string> };
          resolve({ status: response.statusCode ?? 0, ...answered, body: Buffer.concat(chunks).toString() });
        });
      });
      call.on('error', reject);
      call.end(body ?? undefined);
    });
  }

  return { ask, close: () => agent.destroy() };
}
