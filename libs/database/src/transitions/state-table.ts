import type { JobStatus } from '@offload/jobs';

/** One way from state to state. */
export interface Transition {
  /** Null: the job is not there yet. */
  from: JobStatus | null;
  /** Null: the job is not there any more. */
  to: JobStatus | null;
  by: 'api' | 'relay' | 'worker';
  /** What the process does, as one verb. */
  does: string;
  /** When, and what else the statement guards or writes. */
  when: string;
}

/**
 * Every transition of a job's status. `npm run documents` draws docs/job-lifecycle.md from the table; its spec compares the
 * table with the database functions, and the random sequences of the model meet no other transition.
 */
export const transitions: readonly Transition[] = [
  {
    ...{ from: null, to: 'queued', by: 'api', does: 'accepts' },
    when: 'The job is due now. One statement stores the job and its row in the outbox.',
  },
  {
    ...{ from: null, to: 'scheduled', by: 'api', does: 'accepts' },
    when: 'The job is due later. One statement stores the job and its row in the outbox.',
  },
  {
    ...{ from: 'scheduled', to: 'queued', by: 'relay', does: 'dispatches' },
    when: 'The job is due, and RabbitMQ has confirmed its dispatch message.',
  },
  {
    ...{ from: 'scheduled', to: 'running', by: 'worker', does: 'claims' },
    when: 'The job is due, and a free worker claims it before the relay has updated its row.',
  },
  {
    ...{ from: 'scheduled', to: 'cancelled', by: 'api', does: 'cancels' },
    when: 'A client cancels the job before it runs. Its row in the outbox goes with the same statement.',
  },
  {
    ...{ from: 'queued', to: 'running', by: 'worker', does: 'claims' },
    when: 'The attempt rises by one. The row keeps the id of the dispatch message.',
  },
  {
    ...{ from: 'queued', to: 'cancelled', by: 'api', does: 'cancels' },
    when: 'A client cancels the job before it runs. Its row in the outbox goes with the same statement.',
  },
  {
    ...{ from: 'running', to: 'running', by: 'worker', does: 'takes over' },
    when:
      'RabbitMQ has redelivered the dispatch message whose id is on the row, so the holder is gone. ' +
      "Its delivery count must be higher than the holder's. The attempt rises by one.",
  },
  {
    ...{ from: 'running', to: 'succeeded', by: 'worker', does: 'settles' },
    when: 'The handler returned, and the attempt is the latest (the fence).',
  },
  {
    ...{ from: 'running', to: 'failed', by: 'worker', does: 'settles' },
    when:
      'The error is permanent, or it was the last attempt, and the attempt is the latest. ' +
      'Or the last attempt was lost with its worker (`worker-lost`); then a takeover or the api writes it.',
  },
  {
    ...{ from: 'running', to: 'scheduled', by: 'worker', does: 'retries' },
    when:
      'The handler threw and attempts are left, or it snoozed. The attempt is the latest. ' +
      'A snooze raises `maxAttempts` by one.',
  },
  {
    ...{ from: 'running', to: 'queued', by: 'worker', does: 'gives back' },
    when:
      'The worker stops or lost its connection; `maxAttempts` rises by one, so no attempt is lost. ' +
      'Or the holder left three liveness checks in a row unanswered; then the api writes it.',
  },
  {
    ...{ from: 'running', to: 'cancelled', by: 'worker', does: 'settles' },
    when: 'The api has noted on the row that a client wants no more of the job, and has told the workers.',
  },
  {
    ...{ from: 'failed', to: 'queued', by: 'api', does: 'runs again' },
    when:
      'A client retries the job, and no unfinished job has its dedupe key. ' +
      '`maxAttempts` rises by one if no attempt is left.',
  },
  {
    ...{ from: 'cancelled', to: 'queued', by: 'api', does: 'runs again' },
    when: 'As for a failed job.',
  },
  ...(['succeeded', 'failed', 'cancelled'] as const).map((from): Transition => ({
    ...{ from, to: null, by: 'api', does: 'deletes' },
    when: 'A client deletes the job, or it finished more than `RETENTION_DAYS` ago.',
  })),
];
