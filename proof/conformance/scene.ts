import { randomUUID } from 'node:crypto';
import type { JobWithLinks } from '@offload/jobs/answers';
import { eventually, manage } from '@offload/spec-kit';
import type { Exchange } from '@offload/spec-kit/contracts';
import { jsonOf, type Answer } from './answer.ts';
import { openClient } from './ask.ts';
import type { Asked, Given } from './asked.ts';
import { openWire, type Wire } from './wire.ts';
import { keyOf, type ApiName, type World } from './world.ts';

/** The system as a row uses it. Jobs, texts and connections belong to the row alone. */
export interface Scene {
  readonly apis: World['apis'];
  /** A text for this row alone. */
  readonly unique: string;
  ask(asked: Asked): Promise<Answer>;
  /** Sends a request that must be answered with this status. @returns the body of the answer */
  get<T = JobWithLinks>(asked: Asked, status?: number): Promise<T>;
  /** Makes a job in this state, for this row alone. */
  job(given: Given): Promise<JobWithLinks>;
  /** Opens a connection, which is closed at the end. @param toHead whether all its requests are HEAD */
  connect(at?: ApiName, toHead?: boolean): Promise<Wire>;
  /** The dispatch message of a job in the queue `traced`. */
  dispatchOf(jobId: string): Promise<{ priority?: number; headers: Record<string, unknown> }>;
  readonly databaseUrl: string;
}

/** A scene with its record. */
export interface OpenScene extends Scene {
  /** All requests with their answers. */
  readonly exchanges: readonly Exchange[];
  record(more: readonly Exchange[]): void;
  close(): void;
}

/** A job that takes no time. */
export const sleep = { type: 'demo.sleep', payload: { seconds: 0 } };
const HOUR_MS = 3_600_000;

/** Opens the scene of a row. */
export function openScene({ apis, system }: World): OpenScene {
  const client = openClient();
  const wires: Wire[] = [];
  const exchanges: Exchange[] = [];

  async function ask({ path, headers = {}, body, octets, by, at, method }: Asked): Promise<Answer> {
    const hasBody = body !== undefined || octets !== undefined;
    const call = {
      method: method ?? (hasBody ? 'POST' : 'GET'),
      path,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(by && { authorization: `Bearer ${keyOf(by)}` }),
        ...headers,
      },
      body: octets ?? (body === undefined ? null : JSON.stringify(body)),
    };
    const answer = await client.ask(apis[at ?? (by ? 'guarded' : 'open')].url, call);
    exchanges.push({ ...call, ...answer });
    return answer;
  }

  async function get<T>(asked: Asked, status = 200): Promise<T> {
    const answer = await ask(asked);
    if (answer.status === status) return jsonOf<T>(answer);
    throw new Error(`${asked.method ?? ''} ${asked.path}: ${answer.status} instead of ${status}: ${answer.body}`);
  }

  const submit = (body: object, headers = {}, status = 202): Promise<JobWithLinks> =>
    get({ path: '/v1/jobs', body, headers }, status);

  async function job(given: Given): Promise<JobWithLinks> {
    switch (given) {
      case 'scheduled':
        return submit({ ...sleep, delayMs: HOUR_MS });
      case 'queued':
        return submit({ ...sleep, queue: 'idle' });
      case 'succeeded':
        return submit(sleep, { prefer: 'wait=20' }, 200);
      case 'failed':
        return submit({ type: 'csv.profile', payload: { csv: 'a,b\n1\n' } }, { prefer: 'wait=20' }, 200);
      case 'cancelled':
        return get({ method: 'POST', path: `/v1/jobs/${(await job('scheduled')).id}/cancel` });
      case 'running': {
        const { id } = await submit({ type: 'demo.sleep', payload: { seconds: 60 } });
        return eventually(async () => {
          const read = await get<JobWithLinks>({ path: `/v1/jobs/${id}` });
          if (read.status !== 'running') throw new Error(`it is ${read.status}`);
          return read;
        });
      }
    }
  }

  return {
    apis,
    unique: randomUUID(),
    exchanges,
    record: (more) => void exchanges.push(...more),
    databaseUrl: String(system.environment['DATABASE_URL']),
    ask(asked) {
      const answer = ask(asked);
      answer.catch(() => undefined); // the row that awaits the answer handles the rejection
      return answer;
    },
    get,
    job,
    async connect(at = 'open', toHead = false) {
      const wire = await openWire(apis[at].url, toHead);
      wires.push(wire);
      return wire;
    },
    dispatchOf: (jobId) =>
      eventually(async () => {
        const body = { count: 100, ackmode: 'ack_requeue_false', encoding: 'auto' };
        const got = await manage('POST', `/api/queues/${system.vhost}/jobs.traced/get`, body);
        const dispatches = got as {
          payload: string;
          properties: { priority?: number; headers?: Record<string, unknown> };
        }[];
        const dispatch = dispatches.find(({ payload }) => (JSON.parse(payload) as { jobId: string }).jobId === jobId);
        if (!dispatch) throw new Error('the dispatch message has not arrived');
        return { headers: {}, ...dispatch.properties };
      }),
    close() {
      for (const wire of wires) wire.close();
      client.close();
    },
  };
}
