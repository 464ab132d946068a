import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { type Claim, type Database, migrate, openDatabase, type Outcome } from '@offload/database';
import { exchanges, jobEvents, jobTopology } from '@offload/job-messages';
import { type Job, SerializedJob } from '@offload/jobs';
import { registrationOf } from '@offload/jobs/definitions';
import { jobDefinitions } from '@offload/jobs/job-types';
import { connect, type Connection, createPublisher, subscribe } from '@offload/messaging';
import { inspectQueues } from '@offload/messaging/queues';
import { createLogger, createMetrics } from '@offload/process';
import { eventually, freshDatabaseUrl, freshVhost } from '@offload/spec-kit';
import { openApiChecker } from '@offload/spec-kit/contracts';
import { createApp, type AppParts } from './app.ts';
import { createJobTypes } from './job-types/job-types.ts';
import { startBacklog } from './loops/backlog.ts';
import { createDispatcher } from './dispatcher.ts';
import { openApiDocument } from './openapi/document.ts';
import { startRelay } from './loops/relay.ts';
import { createWaiters } from './waiting/waiters.ts';

const answerFaults = openApiChecker(openApiDocument());

/**
 * A whole api that knows the job types of Offload, without a worker. Each of its answers is held against the OpenAPI
 * document, and no error may be logged.
 */
export function useApi(more: Partial<AppParts> = {}) {
  const url = freshDatabaseUrl();
  const faults: unknown[] = [];
  let parts: AppParts;
  let vhost: Awaited<ReturnType<typeof freshVhost>>;
  const steps: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    await migrate(url);
    vhost = await freshVhost();
    const queues = ['default', 'mail'];
    const database = openDatabase({ url });
    const broker = connect({ url: vhost.amqpUrl, topology: jobTopology(queues) });
    await broker.opened;
    const metrics = createMetrics();
    const log = createLogger('api', { level: 'silent', instance: 'spec' });
    log.error = ((...line: unknown[]) => void faults.push(line)) as typeof log.error; // bad input must not cause an internal error
    await database.jobTypes.register(Object.values(jobDefinitions).map(registrationOf), null);
    const publisher = createPublisher(broker);
    const dispatcher = createDispatcher({ database, publisher, metrics, log });
    const types = createJobTypes({ database, log });
    const relay = startRelay({ database, dispatcher, broker, log });
    const backlog = startBacklog({ database, queues, everyMs: 50, metrics, log });
    const waiters = createWaiters({ database, maxWaiters: 100, metrics, log });
    await listenWith(broker, waiters);
    parts = {
      ...{ database, broker, publisher, inspector: inspectQueues(broker), dispatcher, relay, waiters, types, backlog },
      ...{ metrics, log, queues },
      ...{ maxBacklog: () => 1_000_000, keys: [], rateLimit: 0, notifierUrl: 'http://notifier.test' },
      ownWebhooks: true,
      ...more,
    };
    steps.push(relay.stop, types.stop, backlog.stop, broker.close, database.close, vhost.remove);
  });
  afterAll(async () => {
    parts?.waiters.close();
    for (const step of steps) await step();
    expect(faults).toEqual([]);
  });

  return {
    get database(): Database {
      return parts.database;
    },
    get broker(): Connection {
      return parts.broker;
    },
    get parts(): AppParts {
      return parts;
    },
    /** The api, or one like it with other parts. */
    app: (other: Partial<AppParts> = {}): RequestListener =>
      checked(createApp({ ...parts, metrics: createMetrics(), ...other }), faults),
    /** The id of the newest job with this tag, once it is there. */
    posted: (tag: string): Promise<string> =>
      eventually(async () => {
        const { jobs } = await parts.database.jobs.list({ tag, limit: 1 });
        expect(jobs).toHaveLength(1);
        return jobs[0]?.id as string;
      }),
    claim: (jobId: string): Promise<Claim> =>
      parts.database.jobs.claim({
        ...{ jobId, dispatchId: randomUUID(), redelivered: false, deliveryCount: 0 },
        ...{ claimId: randomUUID(), holder: 'spec' },
      }),
    /** Ends the first attempt as a worker does: the row first, then the event. */
    async finish(jobId: string, outcome: Outcome = { status: 'succeeded', result: { sleptMs: 1 } }): Promise<Job> {
      const job = (await parts.database.jobs.settle({ jobId, attempt: 1, outcome })) as Job;
      await parts.dispatcher.publishEvent(new SerializedJob(job));
      return job;
    },
  };
}

async function listenWith(broker: Connection, waiters: AppParts['waiters']): Promise<void> {
  let listening = false;
  subscribe(broker, {
    exchange: exchanges.events,
    message: jobEvents,
    wants: ({ correlationId }) => waiters.wants(correlationId),
    handle: ({ body }) => body.forEach(waiters.hear),
    onListening: () => (listening = true),
  });
  await eventually(() => expect(listening).toBe(true));
}

/** Notes what is wrong with each answer of the application. */
function checked(app: RequestListener, faults: unknown[]): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path = '' } = request;
    const chunks: Buffer[] = [];
    const [write, end] = [response.write.bind(response), response.end.bind(response)];
    const note = (chunk: unknown) => {
      if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk as string));
    };
    response.write = ((chunk: unknown, ...rest: never[]) => (note(chunk), write(chunk, ...rest))) as typeof write;
    response.end = ((chunk: unknown, ...rest: never[]) => (note(chunk), end(chunk, ...rest))) as typeof end;
    response.on('finish', () => {
      const headers = Object.fromEntries(
        Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]),
      );
      const body = method === 'HEAD' ? '' : Buffer.concat(chunks).toString();
      faults.push(...answerFaults({ method, path, status: response.statusCode, headers, body }));
    });
    app(request, response);
  };
}
