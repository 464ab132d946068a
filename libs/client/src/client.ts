import { listOf } from './answer.ts';
import type { Kind, PayloadOf, ResultOf } from './definition.ts';
import { redeliver, type Delivery } from './deliveries.ts';
import { issueEventToken, type EventToken, type EventTokenOptions } from './event-token.ts';
import { createJobHandle, type CallOptions, type JobHandle, type KnownJob, type SubmittedJob } from './job-handle.ts';
import { registerJobType, removeJobType, showJobType, type JobTypeInfo, type JobTypeOptions } from './job-types.ts';
import { listJobs, type ListOptions } from './list-jobs.ts';
import { drainWorker } from './workers.ts';
import { checkedOptions, type ClientOptions } from './options.ts';
import type { QueueInfo, WorkerInfo } from './queues-and-workers.ts';
import { request } from './request.ts';
import type { Snapshot } from './snapshot.ts';
import { submitJob, submitJobs, type BatchItem, type PostOptions, type SubmitOptions } from './submit-jobs.ts';

/**
 * The client of an Offload api. Beside the rejections below, every call may reject with:
 *
 * - OffloadProblem: the api refused the request
 * - UnreachableError: the api did not answer, or not completely
 * - UnexpectedAnswerError: the answer does not come from Offload
 * - the reason of a signal that has fired
 */
export interface Client {
  /** `POST /v1/jobs`: resolves when the job is stored. A repeated request never makes a second job. */
  submit<const K extends Kind>(
    kind: K,
    payload: PayloadOf<K>,
    options?: SubmitOptions,
  ): Promise<SubmittedJob<ResultOf<K>>>;
  /** `POST /v1/jobs/batch`: makes 1 to 1,000 jobs, all or none. The handles have the order of the items. */
  submitBatch<const Kinds extends readonly Kind[]>(
    items: readonly [...{ [Index in keyof Kinds]: BatchItem<Kinds[Index]> }],
    options?: PostOptions,
  ): Promise<{ -readonly [Index in keyof Kinds]: KnownJob<ResultOf<Kinds[Index]>> }>;
  /** The handle of a job made earlier, without a request. @throws TypeError when the id is not a UUID */
  job(id: string): JobHandle;
  /** The same with types. The calls of the handle reject with TypeError if the job is of another type. */
  job<const K extends Kind>(kind: K, id: string): JobHandle<ResultOf<K>>;
  /** `GET /v1/jobs/{id}`. Rejects with 404 `job-not-found`, and with TypeError when the id is not a UUID. */
  get(id: string, options?: CallOptions): Promise<KnownJob>;
  /** `GET /v1/jobs`: yields jobs, newest first. It requests each page only when the loop needs it. */
  list(options?: ListOptions): AsyncGenerator<KnownJob, void, undefined>;
  /**
   * `POST /v1/event-tokens`: makes a token with which a page without a key watches by EventSource. Rejects with 404
   * `no-event-tokens` if the api makes none.
   */
  eventToken(options?: EventTokenOptions): Promise<EventToken>;
  /**
   * `POST /v1/deliveries/{id}/redeliver`: sends a webhook again, in any status. Rejects with 404 `delivery-not-found`,
   * and with TypeError when the id is not a UUID.
   */
  redeliver(id: string, options?: CallOptions): Promise<Delivery>;
  /** `GET /v1/job-types`: the registered job types. */
  jobTypes(options?: CallOptions): Promise<JobTypeInfo[]>;
  /** `GET /v1/job-types/{type}`. Rejects with 404 `job-type-not-found`. */
  jobType(type: string, options?: CallOptions): Promise<JobTypeInfo>;
  /** `PUT /v1/job-types/{type}`: registers a version, as a worker does. Rejects with 409 `schema-conflict`. */
  registerJobType(type: string, registration: JobTypeOptions, options?: CallOptions): Promise<JobTypeInfo>;
  /** `DELETE /v1/job-types/{type}`. Rejects with 404 `job-type-not-found`, and with 409 `job-type-in-use`. */
  removeJobType(type: string, options?: CallOptions): Promise<void>;
  /** `GET /v1/workers`: the running workers, and the job types that they run. */
  workers(options?: CallOptions): Promise<WorkerInfo[]>;
  /**
   * `POST /v1/workers/{instance}/drain`: the worker takes no new job, finishes those that it has, and ends. Rejects with 404
   * `worker-not-found`.
   */
  drainWorker(instance: string, options?: CallOptions): Promise<WorkerInfo>;
  /** `GET /v1/queues`: what waits and runs in each queue. */
  queues(options?: CallOptions): Promise<QueueInfo[]>;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws TypeError when the id is not a UUID */
function checkedId(id: string): string {
  if (!UUID.test(id)) throw new TypeError('id: must be a UUID');
  return id.toLowerCase();
}

/**
 * Makes a client. It sends nothing until a call, and there is nothing to close.
 *
 * @throws TypeError that names the invalid option
 *
 * @example
 * const offload = createClient({ baseUrl: 'http://127.0.0.1:3000', apiKey });
 * const job = await offload.submit(demoSleep, { seconds: 10 });
 * const { sleptMs } = await job.wait({ timeoutMs: 60_000 });
 */
export function createClient(options: ClientOptions): Client {
  const settings = checkedOptions(options);

  // Only the signatures above know the types of results: `never` fits each of them.
  function seen(snapshot: Snapshot, kind?: Kind, deduplicated?: boolean): SubmittedJob<never> {
    return createJobHandle(settings, snapshot.id, { kind, snapshot, deduplicated }) as SubmittedJob<never>;
  }

  function unseen(first: Kind, second?: string): JobHandle<never> {
    const [kind, id] = second === undefined ? [undefined, first as string] : [first, second];
    return createJobHandle(settings, checkedId(id), { kind });
  }

  async function catalogue<Item>(path: string, member: string, { signal }: CallOptions): Promise<Item[]> {
    const url = new URL(path, settings.baseUrl);
    return listOf<Item>(await request(settings, { method: 'GET', url, signal, expected: [200] }), member);
  }

  return {
    async submit(kind: Kind, payload: unknown, submitOptions: SubmitOptions = {}) {
      const { job, deduplicated } = await submitJob(settings, kind, payload, submitOptions);
      return seen(job, kind, deduplicated);
    },
    async submitBatch(items: readonly BatchItem<Kind>[], postOptions: PostOptions = {}) {
      const jobs = await submitJobs(settings, items, postOptions);
      return jobs.map((job, index) => seen(job, items[index]?.[0])) as never;
    },
    job: unseen,
    async get(id, callOptions) {
      const job = unseen(id);
      await job.refresh(callOptions);
      return job as KnownJob;
    },
    async *list(listOptions = {}) {
      for await (const job of listJobs(settings, listOptions)) yield seen(job);
    },
    eventToken: (tokenOptions = {}) => issueEventToken(settings, tokenOptions),
    async redeliver(id, { signal } = {}) {
      return redeliver(settings, checkedId(id), signal);
    },
    jobTypes: (callOptions = {}) => catalogue('v1/job-types', 'jobTypes', callOptions),
    jobType: (type, { signal } = {}) => showJobType(settings, type, signal),
    registerJobType: (type, registration, { signal } = {}) => registerJobType(settings, type, registration, signal),
    removeJobType: (type, { signal } = {}) => removeJobType(settings, type, signal),
    workers: (callOptions = {}) => catalogue('v1/workers', 'workers', callOptions),
    drainWorker: (instance, { signal } = {}) => drainWorker(settings, instance, signal),
    queues: (callOptions = {}) => catalogue('v1/queues', 'queues', callOptions),
  };
}
