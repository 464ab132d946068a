import { createHash, randomUUID } from 'node:crypto';
import { sql, startSystem } from '@offload/running-system';
import { eventually, manage } from '@offload/spec-kit';
import { openAmqpTap, type DispatchDelivery } from './amqp-tap.ts';
import { openHttpTap, type Call } from './http-tap.ts';
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts';

/** How the worker under test is started. */
export interface WorkerUnderTest {
  /** Its command line. */
  command: readonly string[];
  /** It is one of Offload's own: it speaks SQL, and may do at the broker what it likes. @default false */
  isOwn?: boolean;
}

/** A job as it is stored. */
export interface Row {
  status: string;
  attempt: number;
  maxAttempts: number;
  holder: string | null;
  dispatchId: string | null;
  deliveryCount: number;
  startedAt: Date | null;
  heldAt: Date | null;
  result: unknown;
  progress: { percent: number } | null;
  error: { code: string; attempt: number } | null;
  errors: { code: string; attempt: number }[];
}

/** A system without workers, and what goes on between it and those under test. */
export interface Ground {
  /** Calls the api with a key that has every scope. */
  ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
  /** A `demo.sleep`. @returns its id */
  submit(seconds: number, options?: object): Promise<string>;
  read(jobId: string): Promise<Row>;
  /** Waits for the job to look so, and says what is wrong when it does not. */
  until(jobId: string, what: string, looks: (row: Row) => boolean, timeoutMs?: number): Promise<Row>;
  /** The worker that runs the job's first attempt, once one does. */
  runs(jobId: string): Promise<Row>;
  /** Sends a dispatch message of this id to the workers. */
  dispatch(jobId: string, dispatchId: string): Promise<void>;
  deliveriesOf(jobId: string): DispatchDelivery[];
  /** Calls the given function at the moment when a word about a dispatch message of this job passes. */
  onSettled(jobId: string, call: (delivery: DispatchDelivery) => void): void;
  /** What workers have asked the api about an attempt. */
  callsOf(jobId: string, attempt: number): Call[];
  /** What workers ask the api is not answered while this runs. */
  withoutApi<T>(run: () => Promise<T>): Promise<T>;
  /** Starts one more worker. Resolves when it consumes. */
  startWorker(): Promise<WorkerProcess>;
  /** Those that were started. */
  readonly workers: readonly WorkerProcess[];
  close(): Promise<void>;
}

/** The queue that workers consume, and one that no worker consumes. */
const [QUEUE, ELSEWHERE] = ['default', 'elsewhere'];
export const NOBODYS_QUEUE = ELSEWHERE;
/** Jobs with this tag are stored as succeeded this slowly. */
export const STORED_LATE = { tag: 'stored-late', ms: 1_500 };
/** What workers are told. */
export const GRACE_MS = 2_000;

const slowOutcome = `
  create function slow_outcome() returns trigger language plpgsql as $$ begin
    if old.status = 'running' and new.status = 'succeeded' and '${STORED_LATE.tag}' = any(new.tags) then
      perform pg_sleep(${STORED_LATE.ms / 1_000});
    end if;
    return new;
  end $$;
  create trigger slow_outcome before update on jobs for each row execute function slow_outcome()`;

const rowSql = `
  select status, attempt, max_attempts as "maxAttempts", holder, dispatch_id as "dispatchId", delivery_count as "deliveryCount",
    started_at as "startedAt", held_at as "heldAt", result, progress, error, errors
  from jobs where id = $1`;

export async function openGround({ command, isOwn = false }: WorkerUnderTest): Promise<Ground> {
  const system = await startSystem();
  const user = `worker-${randomUUID()}`;
  const keys = { all: randomUUID(), worker: randomUUID() };
  const steps: (() => unknown)[] = [system.stop, () => manage('DELETE', `/api/users/${user}`)];
  const close = async (): Promise<void> => {
    for (const step of steps.reverse()) await step();
  };
  try {
    await sql(system.databaseUrl, slowOutcome);
    const api = await system.startApi({
      QUEUES: `${QUEUE},${ELSEWHERE}`,
      RECONCILE_MS: '2000', // rolls are called soon
      API_KEYS: `all:submit+read+manage+operate+work:${hashed(keys.all)},worker:work:${hashed(keys.worker)}`,
    });
    await manage('PUT', `/api/users/${user}`, { password: user, tags: '' });
    // All that a worker in another language needs.
    const rights = { configure: '^$', write: '^$', read: `^jobs\\.${QUEUE}$` };
    await manage('PUT', `/api/permissions/${system.vhost}/${user}`, rights);
    const brokerUrl = new URL(String(system.environment['AMQP_URL']));
    if (!isOwn) Object.assign(brokerUrl, { username: user, password: user });
    const amqp = await openAmqpTap(brokerUrl.href);
    const http = await openHttpTap(api.url);
    steps.push(amqp.close, http.close);

    const listeners = new Map<string, (delivery: DispatchDelivery) => void>();
    amqp.onSettled = (delivery) => listeners.get(delivery.jobId)?.(delivery);
    const workers: WorkerProcess[] = [];
    steps.push(async () => {
      for (const worker of workers) worker.signal('SIGKILL');
      await Promise.all(workers.map(({ exited }) => exited.catch(() => null)));
    });
    const env = {
      ...{ AMQP_URL: amqp.url, API_URL: http.url, API_KEY: keys.worker },
      ...{ QUEUES: QUEUE, WORKER_CONCURRENCY: '20', SHUTDOWN_GRACE_MS: String(GRACE_MS) },
      ...(isOwn && { DATABASE_URL: system.databaseUrl, WORKER_PORT: '0', LOG_LEVEL: 'warn' }),
    };

    async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
      const response = await fetch(api.url + path, {
        method,
        headers: { authorization: `Bearer ${keys.all}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    }

    async function read(jobId: string): Promise<Row> {
      const [row] = await sql<Row>(system.databaseUrl, rowSql, [jobId]);
      if (!row) throw new Error(`there is no job ${jobId}`);
      return row;
    }

    const until: Ground['until'] = (jobId, what, looks, timeoutMs = 5_000) =>
      eventually(
        async () => {
          const row = await read(jobId);
          if (!looks(row)) throw new Error(`${what}: it is not; the job is ${JSON.stringify(row)}`);
          return row;
        },
        { timeoutMs, intervalMs: 50 },
      );

    const begun = (): number => amqp.consumed.filter((queue) => queue === `jobs.${QUEUE}`).length;

    return {
      ask,
      read,
      until,
      workers,
      async submit(seconds, options = {}) {
        const answer = await ask('POST', '/v1/jobs', { type: 'demo.sleep', payload: { seconds }, ...options });
        if (answer.status !== 202) throw new Error(`the job was not taken: ${JSON.stringify(answer)}`);
        return (answer.body as { id: string }).id;
      },
      runs: (jobId) => until(jobId, 'a worker claims the job', ({ status }) => status === 'running'),
      async dispatch(jobId, dispatchId) {
        await manage('POST', `/api/exchanges/${system.vhost}/jobs/publish`, {
          properties: { message_id: dispatchId, type: 'dispatch', content_type: 'application/json' },
          ...{ routing_key: QUEUE, payload: JSON.stringify({ jobId, type: 'demo.sleep' }), payload_encoding: 'string' },
        });
      },
      deliveriesOf: (jobId) => amqp.deliveries.filter((delivery) => delivery.jobId === jobId),
      onSettled: (jobId, call) => void listeners.set(jobId, call),
      callsOf: (jobId, attempt) => http.calls.filter(({ path }) => path.includes(`/${jobId}/attempts/${attempt}/`)),
      async withoutApi(run) {
        http.cut();
        return run().finally(http.mend);
      },
      async startWorker() {
        const before = begun();
        const worker = startWorkerProcess(command, `protocol-${workers.length + 1}`, env);
        workers.push(worker);
        const consumes = (): void => {
          if (begun() <= before) throw new Error(`it does not consume:\n${worker.output}`);
        };
        const died = worker.exited.then((code) => {
          throw new Error(`the worker ended with ${code}:\n${worker.output}`);
        });
        await Promise.race([eventually(consumes, { timeoutMs: 20_000, intervalMs: 100 }), died]);
        return worker;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function hashed(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
