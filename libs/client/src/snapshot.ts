import type { EventName, Job, JobStatus } from './job.ts';

/** A job as the api or a notifier showed it. Never changes; a newer one has a higher `version`. */
export type Snapshot<Result = unknown> = Readonly<Omit<Job, 'result'>> & {
  /** Of a succeeded job; null before. */
  readonly result: Result | null;
};

/** What happened to a job, and the job afterwards. */
export interface JobEvent<Result = unknown> {
  /** `job.<status>`, or `job.progress` */
  readonly event: EventName;
  readonly job: Snapshot<Result>;
}

const finished = { succeeded: true, failed: true, cancelled: true } satisfies Partial<Record<JobStatus, true>>;

/** Whether the job will never change again by itself. */
export function isFinished({ status }: Pick<Snapshot, 'status'>): boolean {
  return Object.hasOwn(finished, status);
}

/** Whether this is a job at all: what an api other than Offload's, or a proxy's page, would not be. */
export function isSnapshot(value: unknown): value is Snapshot {
  if (typeof value !== 'object' || value === null) return false;
  const { id, type, status, version, links } = value as Record<keyof Snapshot, unknown>;
  const names = [id, type, status, (links as Partial<Snapshot['links']> | undefined)?.events];
  return names.every((each) => typeof each === 'string') && typeof version === 'number';
}
