// Shared code of the peers' programs: `node <peer>.js api` serves Express, `node <peer>.js worker` runs jobs. Both
// report when they are ready, and end with the process that started them (see app-process.ts). They run compiled, as
// the apps do.
import { setTimeout as delay } from 'node:timers/promises';
import { createServer } from 'node:http';
import express from 'express';

/** The payload of every job: a message to return, or a time to sleep. */
export interface PeerPayload {
  message?: string;
  seconds?: number;
}

/** How a peer accepts jobs. */
export interface Intake {
  /** Resolves with the job's id when it is stored as durably as the peer documents. */
  take(payload: PeerPayload): Promise<string>;
  /** The same for many jobs, by the peer's call for that. */
  takeMany?(payloads: PeerPayload[]): Promise<unknown>;
  close(): Promise<unknown>;
}

/** How a peer runs jobs. */
export interface Running {
  close(): Promise<unknown>;
}

/** Records the calls of handlers. */
export interface Notes {
  /** The handler of every job. @returns its result */
  handle(id: string, payload: PeerPayload): Promise<{ message: string; calledAtMs: number }>;
  /** Records that a job is completed. */
  finished(): void;
}

/** A peer. */
export interface Peer {
  api(): Promise<Intake>;
  worker?(concurrency: number, notes: Notes): Promise<Running>;
}

/** Milliseconds since 1970 with fractions, by a monotonic clock. */
function now(): number {
  return performance.timeOrigin + performance.now();
}

/** The value of a required environment variable. */
export function variable(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

/** Runs the api or the worker of a peer. */
export async function runPeer(peer: Peer): Promise<void> {
  const role = process.argv[2];
  const close = role === 'api' ? await serveApi(await peer.api()) : await serveWorker(peer);
  process.once('SIGTERM', () => void close().then(() => process.exit()));
}

async function serveApi(intake: Intake): Promise<() => Promise<unknown>> {
  const app = express();
  app.disable('x-powered-by'); // as in Offload
  app.set('etag', false);
  app.use(express.json({ limit: '1mb' }));
  app.get('/readyz', (_request, response) => void response.json({ status: 'ready' }));
  app.post('/jobs', async (request, response) => {
    const from = now();
    const id = await intake.take(request.body as PeerPayload);
    response.status(202).json({ id, takenAtMs: from });
  });
  app.post('/jobs/batch', async (request, response) => {
    const { jobs } = request.body as { jobs: PeerPayload[] };
    await intake.takeMany?.(jobs);
    response.status(202).json({ accepted: jobs.length });
  });
  app.listen(Number(variable('PORT')), '127.0.0.1');
  return () => intake.close();
}

async function serveWorker({ worker }: Peer): Promise<() => Promise<unknown>> {
  if (!worker) throw new Error('this peer has no worker');
  const times: number[] = [];
  const calls: [id: string, ms: number][] = [];
  const recordsCalls = process.env['RECORD_CALLS'] === '1';
  const running = await worker(Number(variable('CONCURRENCY')), {
    finished: () => void times.push(now()),
    async handle(id, { message = '', seconds }) {
      const calledAtMs = now();
      if (recordsCalls) calls.push([id, calledAtMs]);
      if (seconds) await delay(seconds * 1_000);
      return { message, calledAtMs };
    },
  });
  const answers: Record<string, () => unknown> = {
    '/readyz': () => ({ status: 'ready' }),
    '/finished': () => times.length,
    '/finished-times': () => times,
    '/calls': () => calls,
  };
  createServer((request, response) => {
    response.end(JSON.stringify(answers[request.url ?? '']?.() ?? null));
  }).listen(Number(variable('PORT')), '127.0.0.1');
  return () => running.close();
}
