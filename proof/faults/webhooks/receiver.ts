// The receivers of the webhooks of `npm run webhooks`, in a process of their own: a server on each of ADDRESSES. Each
// answers as its path says, fails at random, and records the requests. A further server controls them and returns their
// records. The process prints its port and those of the receivers as a line of JSON.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { seededRandom } from '../random.ts';
import { answerOf, type Answer, type Kind } from './answers.ts';
import { checkWebhook } from './check-webhook.ts';
import { GONE_PATH, RETRY_AFTER_SECONDS, type Hit, type Report } from './report-of-receiver.ts';

const { ADDRESSES = '127.0.0.1', SEED = '1', SECRETS = '{}' } = process.env;
/** Secrets by kind of receiver; those of other kinds are under `hook`. */
const secrets = JSON.parse(SECRETS) as Partial<Record<Kind, string[]>>;
const random = seededRandom(Number(SEED), 'receiver');
const hits: Hit[] = [];
const told: Report['told'] = {};
const bodies = new Map<string, string>();
const answersOf = new Map<string, Answer[]>();
const closed = new Set<string>();
let redirected = 0;

const statuses = { delivered: 204, error: 500, redirect: 307, 'slow down': 503, 'not there': 404, gone: 410 } as const;

function answer(response: ServerResponse, how: Answer): void {
  if (how === 'hang') return;
  if (how === 'reset') return void response.socket?.resetAndDestroy();
  const headers = {
    ...(how === 'redirect' && { Location: '/redirected' }),
    ...(how === 'slow down' && { 'Retry-After': String(RETRY_AFTER_SECONDS) }),
  };
  response.writeHead(statuses[how], headers).end();
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request);
  const { url: path = '/', headers } = request;
  if (path === '/redirected') redirected += 1;
  const kind = path.split('/')[1] as Kind;
  const id = String(headers['webhook-id']);
  const { told: says, faults } = checkWebhook(headers, body, secrets[kind] ?? secrets.hook ?? []);
  if (says) told[id] ??= says;
  if (request.method !== 'POST') faults.push(request.method ?? '');
  if ((bodies.get(id) ?? body) !== body) faults.push('another body than before');
  bodies.set(id, body);
  const before = answersOf.get(id) ?? [];
  const how = answerOf(kind, before, closed.has(kind), random);
  answersOf.set(id, [...before, how]);
  hits.push({ id, at: Date.now(), path, answer: how, ...(faults.length > 0 && { faults }) });
  answer(response, how);
}

async function open(address: string, listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.keepAliveTimeout = 60_000; // connections break off only at random
  await once(server.listen(0, address), 'listening');
  return (server.address() as AddressInfo).port;
}

const hosts = await Promise.all(
  ADDRESSES.split(',').map(async (address) => {
    const port = await open(address, (request, response) => {
      receive(request, response).catch((error: unknown) => process.stderr.write(`${String(error)}\n`)); // the connection is broken
    });
    return `${address}:${port}`;
  }),
);
const control = await open('127.0.0.1', (request, response) => {
  const { url = '' } = request;
  if (url.startsWith(GONE_PATH)) closed.add(url.slice(GONE_PATH.length));
  response.end(JSON.stringify({ hits, told, redirected } satisfies Report));
});
process.stdout.write(`${JSON.stringify({ level: 'info', msg: 'listening', hosts, control })}\n`);
