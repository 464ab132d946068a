import { briefOf, type Job } from './job.ts';

/**
 * A job with its JSON, which is written once, at the first read. Pass it along instead of the job to code that makes an
 * event or an answer: writing a job of megabytes takes milliseconds each time.
 */
export class SerializedJob {
  readonly job: Job;
  readonly #payload: string | undefined;
  readonly #result: string | undefined;
  #json: string | undefined;

  /**
   * @param payload JSON of the job's payload, if known: it becomes part of `json` unchanged
   * @param result JSON of the job's result, if known
   */
  constructor(job: Job, payload?: string, result?: string) {
    this.job = job;
    this.#payload = payload;
    this.#result = result;
  }

  /** The job as JSON. A job from `job.progress` has no payload, and so neither payload nor result here. */
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
   * Makes the same job in a later state. It reuses the payload's JSON if the payload is the same value.
   *
   * @param result JSON of the result, if known
   */
  next(job: Job, result?: string): SerializedJob {
    if (job === this.job) return this;
    return new SerializedJob(job, job.payload === this.job.payload ? this.#payload : undefined, result);
  }

  /** Makes the job without its large members: see {@link briefOf}. */
  brief(): SerializedJob {
    return new SerializedJob(briefOf(this.job));
  }
}
