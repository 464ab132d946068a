import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from '@jest/globals';
import { createClient, type Client } from './client.ts';
import type { ClientOptions } from './options.ts';
import type { Snapshot } from './snapshot.ts';

/** A received request. */
export interface Received {
  method: string;
  /** Path and query. */
  path: string;
  headers: IncomingHttpHeaders;
  /** The parsed body; undefined without one. */
  body: unknown;
  /** When the whole request had arrived, by performance.now(). */
  at: number;
  /** Resolves when the request is answered or its client has gone. */
  closed: Promise<unknown>;
}

/** Answers one request. */
export type Step = (response: ServerResponse, request: Received) => unknown;

/** A server that answers by a script. */
export interface ScriptedServer {
  /** Has no final slash. */
  readonly url: string;
  readonly received: Received[];
  /** Resolves when `count` requests have arrived. */
  untilReceived(count: number): Promise<void>;
}

const closing: (() => unknown)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

/** Starts a server that uses one step for each request, and then answers 400. */
export async function serve(...steps: Step[]): Promise<ScriptedServer> {
  const received: Received[] = [];
  const arrivals = new EventTarget();
  const server = createServer(async (request, response) => {
    const closed = once(response, 'close');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const { method = '', url = '', headers } = request;
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const one = { method, path: url, headers, body, at: performance.now(), closed };
    received.push(one);
    arrivals.dispatchEvent(new Event('arrival'));
    await (steps[received.length - 1] ?? problem(400, 'no-such-step'))(response, one);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async untilReceived(count) {
      while (received.length < count) await once(arrivals, 'arrival');
    },
  };
}

/** Makes a client of that server with pauses of no length between attempts. */
export function clientOf({ url }: ScriptedServer, options: Partial<ClientOptions> = {}): Client {
  return createClient({ baseUrl: url, backoffBaseMs: 1, ...options });
}

/** Answers with a status and a JSON body. */
export function answer(status: number, body?: unknown, headers: Record<string, string> = {}): Step {
  return (response) => {
    if (body !== undefined) response.setHeader('content-type', 'application/json');
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.writeHead(status).end(typeof body === 'object' ? JSON.stringify(body) : body);
  };
}

/** Answers with a problem document. */
export function problem(status: number, slug: string, headers: Record<string, string> = {}, more: object = {}): Step {
  const body = { type: `/problems/${slug}`, title: 'A title', status, detail: 'A detail', instance: '/v1', ...more };
  return answer(status, body, { 'content-type': 'application/problem+json', ...headers });
}

/** Runs the step after `ms` milliseconds. */
export function later(ms: number, step: Step): Step {
  return (response, request) => setTimeout(() => step(response, request), ms);
}

/** Cuts the connection without an answer. */
export const cut: Step = (response) => response.socket?.destroy();

/** Sends no answer and keeps the connection. */
export const silence: Step = () => undefined;

/** Sends the head of an event stream and these events, and keeps the stream open. */
export function events(...frames: string[]): Step {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    response.write(frames.join(''));
  };
}

/** Sends the head of an event stream and these events, and ends the stream. */
export function ended(...frames: string[]): Step {
  return (response, request) => {
    void events(...frames)(response, request);
    response.end();
  };
}

/** The id of the job in the specs. */
export const JOB_ID = '01a1fba9-679a-75c8-9117-2a8c29e05854';

/** A queued job, with changes. */
export function job(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    id: JOB_ID,
    type: 'demo.sleep',
    queue: 'default',
    status: 'queued',
    priority: 0,
    tags: [],
    payload: { seconds: 1 },
    result: null,
    error: null,
    errors: [],
    progress: null,
    attempt: 0,
    maxAttempts: 5,
    version: 1,
    createdAt: '2026-11-21T10:00:00.000Z',
    dueAt: '2026-11-21T10:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    durationMs: null,
    links: { self: `/v1/jobs/${JOB_ID}`, events: `http://127.0.0.1:9/v1/jobs/${JOB_ID}/events` },
    ...changes,
  };
}

/** A succeeded job, with changes. */
export const succeeded = (changes: Partial<Snapshot> = {}): Snapshot =>
  job({ status: 'succeeded', attempt: 1, version: 3, result: { sleptMs: 1_000 }, ...changes });
