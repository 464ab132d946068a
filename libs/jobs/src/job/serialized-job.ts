import { briefOf, type Job } from './job.ts';

/**
 * A job with its JSON, which is written when it is first asked for, and once. What takes a job further, into an event
 * or an answer, takes this: a job of megabytes costs milliseconds each time it is written.
 */
export class SerializedJob {
  readonly job: Job;
  readonly #payload: string | undefined;
  readonly #result: string | undefined;
  #json: string | undefined;

  /** @param payload its payload as JSON, and `result` its result, where that is at hand: it goes into `json` as it is */
  constructor(job: Job, payload?: string, result?: string) {
    this.job = job;
    this.#payload = payload;
    this.#result = result;
  }

  /** The job as JSON. A job of `job.progress` has no payload, and so neither payload nor result here. */
  get json(): string {
    return (this.#json ??= this.#write());
  }

  #write(): string {
    const { payload, result, ...rest } = this.job;
    if (payload === undefined) return JSON.stringify(rest);
    const payloadJson = this.#payload ?? JSON.stringify(payload);
    const resultJson = this.#result ?? JSON.stringify(result ?? null);
    return `${JSON.stringify(rest).slice(0, -1)},"payload":${payloadJson},"result":${resultJson}}`;
  }

  /**
   * The same job in a later state. Where its payload is the same value, its JSON is used again.
   *
   * @param result its result as JSON, where that is at hand
   */
  next(job: Job, result?: string): SerializedJob {
    if (job === this.job) return this;
    return new SerializedJob(job, job.payload === this.job.payload ? this.#payload : undefined, result);
  }

  /** Without what may be megabytes: see {@link briefOf}. */
  brief(): SerializedJob {
    return new SerializedJob(briefOf(this.job));
  }
}
