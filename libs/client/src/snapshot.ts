import type { EventName, Job, JobStatus } from './job.ts';

/** A job as the api or a notifier has shown it. A snapshot never changes; a newer one has a higher `version`. */
export type Snapshot<Result = unknown> = Readonly<Omit<Job, 'result'>> & {
  /** The result of a succeeded job; null in every other status. */
  readonly result: Result | null;
};

/** An event of a job, with the job after it. */
export interface JobEvent<Result = unknown> {
  /** `job.<status>`, or `job.progress` */
  readonly event: EventName;
  readonly job: Snapshot<Result>;
}

const finished = { succeeded: true, failed: true, cancelled: true } satisfies Partial<Record<JobStatus, true>>;

/** Whether a job has a final status. Only `retry` changes such a job. */
export function isFinished({ status }: Pick<Snapshot, 'status'>): boolean {
  return Object.hasOwn(finished, status);
}

/** Whether a value is a job. The answer of another api or a proxy's page is not. */
export function isSnapshot(value: unknown): value is Snapshot {
  if (typeof value !== 'object' || value === null) return false;
  const { id, type, status, version, links } = value as Record<keyof Snapshot, unknown>;
  const names = [id, type, status, (links as Partial<Snapshot['links']> | undefined)?.events];
  return names.every((each) => typeof each === 'string') && typeof version === 'number';
}
