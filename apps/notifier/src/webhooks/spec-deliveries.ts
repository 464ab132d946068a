import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { defaultPolicy } from '@offload/jobs/definitions';
import type { Webhook, WebhookDelivery } from '@offload/jobs/webhooks';
import { migrate, openDatabase, type Database } from '@offload/database';
import { createOutbound } from '@offload/outbound';
import { createLogger, createMetrics } from '@offload/process';
import { newWebhookSecret } from '@offload/access/secrets';
import { freshDatabaseUrl } from '@offload/spec-kit';
import { startWebhookDelivery, type DeliverWebhooksParts } from './deliver-webhooks.ts';

/** A request as a receiver got it. */
export interface Received {
  id: string;
  path: string;
  headers: Record<string, string>;
  body: string;
}

type Act = (response: ServerResponse, received: Received, request: IncomingMessage) => void;

/** Gives a spec a real database, real receivers, and any number of notifiers that deliver webhooks. */
export function useDeliveries() {
  const url = freshDatabaseUrl();
  const secret = newWebhookSecret();
  let database: Database;
  const toClose: (() => unknown)[] = [];
  const made: string[] = [];
  beforeAll(async () => {
    await migrate(url);
    database = openDatabase({ url });
  });
  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
    await Promise.all(made.splice(0).map((id) => database.jobs.delete(id))); // and their pending webhooks
  });
  afterAll(() => database.close());

  /** Starts to deliver webhooks, with quick retries by default. */
  function notifier(more: Partial<DeliverWebhooksParts> = {}) {
    const outbound = createOutbound({ allowPrivateTargets: true });
    const metrics = createMetrics();
    const delivery = startWebhookDelivery({
      webhooks: database.webhooks,
      outbound,
      metrics,
      log: createLogger('notifier', { level: 'silent', instance: 'spec' }),
      notifierUrl: 'http://notifier.test',
      endpoints: [],
      secrets: [secret],
      timeoutMs: 5_000,
      concurrency: 100,
      concurrencyPerHost: 10,
      retrySeconds: Array<number>(20).fill(0),
      ...more,
    });
    let stopped: Promise<void> | null = null;
    const stop = (graceMs = 0) => (stopped ??= delivery.stop(graceMs).then(outbound.close));
    toClose.push(stop);
    return { hear: delivery.hear, stop, metrics };
  }

  /** Starts a server that receives webhooks. `act` answers; the default is 204. */
  async function receiver(act: Act = (response) => void response.writeHead(204).end()) {
    const received: Received[] = [];
    const server = createServer(async (request, response) => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const one = { id: headers['webhook-id'] ?? '', path: request.url ?? '', headers, body: await text(request) };
      received.push(one);
      act(response, one, request);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const close = () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections()));
    toClose.push(close);
    return { received, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, close };
  }

  /** Makes a job that has succeeded. @returns its id */
  async function finished(
    webhook: Partial<Webhook> | null,
    more: { type?: string; result?: unknown } = {},
  ): Promise<string> {
    const { type = 'spec.job', result = { ok: true } } = more;
    const { maxAttempts, timeoutMs, backoff, queue } = defaultPolicy;
    const rest = {
      priority: 0,
      maxAttempts,
      timeoutMs,
      backoff,
      delayMs: 0,
      runAt: null,
      queue,
      tags: [],
      payload: {},
    };
    const own = webhook && { url: '', events: ['succeeded' as const], ...webhook };
    const { job } = await database.jobs.create({ id: randomUUID(), type, ...rest, webhook: own });
    made.push(job.id);
    const held = { redelivered: false, deliveryCount: 0, claimId: randomUUID(), holder: 'spec' };
    await database.jobs.claim({ jobId: job.id, dispatchId: randomUUID(), ...held });
    await database.jobs.settle({ jobId: job.id, attempt: 1, outcome: { status: 'succeeded', result } });
    return job.id;
  }

  /** The one webhook of a job. */
  async function deliveryOf(jobId: string): Promise<WebhookDelivery> {
    const [delivery] = (await database.webhooks.list(jobId)) ?? [];
    if (!delivery) throw new Error('nothing is pending');
    return delivery;
  }

  return {
    url,
    secret,
    notifier,
    receiver,
    finished,
    deliveryOf,
    get database() {
      return database;
    },
  };
}
