/** The size and the times of a run of the fault suite. */
export interface Pace {
  /** Least number of jobs that a scenario accepts. */
  jobs: number;
  perSecond: number;
  /** Milliseconds before the first fault, between two, and after the last. */
  calmMs: number;
  /** Number of posts at once before RabbitMQ is killed. */
  burst: number;
  /** Number of repetitions of a short fault. */
  rounds: number;
  /** Number of faults in each of the two sequences of the mixed scenario. */
  mixed: number;
  /** Milliseconds that a worker is frozen. */
  freezeMs: number;
  /** Milliseconds that RabbitMQ is over its memory limit. */
  alarmMs: number;
  /** Milliseconds that the table of jobs is locked. */
  lockMs: number;
  /** Milliseconds that a worker's connections are cut and refused. */
  cutMs: number;
  /** Milliseconds that a worker's connections are silent: bytes do not arrive, without an error. */
  silenceMs: number;
  /** AMQP heartbeat in seconds, for workers that are frozen or silenced; undefined for the library's default. */
  heartbeatSeconds: number | undefined;
  /** The system's RECONCILE_MS; undefined for its default. */
  reconcileMs: number | undefined;
  /** Milliseconds after the load in which every job must be finished. */
  patienceMs: number;
  /** Number of kills in a measurement. */
  kills: number;
  withoutBrokerMs: number;
  withoutBrokerPerSecond: number;
  /** Number of jobs that a browser each watches. */
  browsers: number;
  /** What is killed, each at a share of finished jobs. */
  browserBlows: readonly [share: number, blow: 'RabbitMQ' | 'notifier'][];
  /** Number of jobs with a webhook each. */
  webhooks: number;
  /** Number of notifiers that are killed while webhooks are pending. */
  webhookKills: number;
  /** Most milliseconds for the whole suite. */
  limitMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** The pace of a release. */
export const LONG = {
  jobs: 2_000,
  perSecond: 80,
  calmMs: 3 * SECOND,
  burst: 200,
  rounds: 4,
  mixed: 6,
  freezeMs: 30 * SECOND,
  alarmMs: 10 * SECOND,
  lockMs: 12 * SECOND,
  cutMs: 5 * SECOND,
  silenceMs: 25 * SECOND,
  heartbeatSeconds: undefined,
  reconcileMs: undefined,
  patienceMs: 120 * SECOND,
  kills: 50,
  withoutBrokerMs: MINUTE,
  withoutBrokerPerSecond: 40,
  browsers: 1_000,
  browserBlows: [
    [0.15, 'RabbitMQ'],
    [0.45, 'notifier'],
    [0.65, 'RabbitMQ'],
  ],
  webhooks: 5_000,
  webhookKills: 6,
  limitMs: 30 * MINUTE,
} satisfies Pace;

/** The pace of CI. */
export const SHORT = {
  jobs: 150,
  perSecond: 30,
  calmMs: SECOND,
  burst: 100,
  rounds: 1,
  mixed: 2,
  freezeMs: 8 * SECOND,
  alarmMs: 3 * SECOND,
  lockMs: 4 * SECOND,
  cutMs: 2 * SECOND,
  silenceMs: 7 * SECOND,
  heartbeatSeconds: 2,
  reconcileMs: 3 * SECOND,
  patienceMs: 90 * SECOND,
  kills: 5,
  withoutBrokerMs: 8 * SECOND,
  withoutBrokerPerSecond: 20,
  browsers: 100,
  browserBlows: [
    [0.2, 'RabbitMQ'],
    [0.6, 'notifier'],
  ],
  webhooks: 200,
  webhookKills: 2,
  limitMs: 15 * MINUTE, // it takes eight; a machine that is busy with other things more
} satisfies Pace;
