/** How much, how often and how long. */
export interface Pace {
  /** Jobs that a scenario accepts, at least. */
  jobs: number;
  perSecond: number;
  /** Before the first fault, between two, and behind the last. */
  calmMs: number;
  /** Posts at once, before RabbitMQ is killed. */
  burst: number;
  /** How often a fault that is soon over is done. */
  rounds: number;
  /** Faults of each of the two lanes of the mixed scenario. */
  mixed: number;
  /** A worker is frozen. */
  freezeMs: number;
  /** RabbitMQ is over its memory limit. */
  alarmMs: number;
  /** The table of jobs is locked. */
  lockMs: number;
  /** A worker's connections are cut, and refused. */
  cutMs: number;
  /** The same without a word: what is sent does not arrive, and nothing says so. */
  silenceMs: number;
  /** of AMQP, for the workers of the scenarios that freeze or silence one, in seconds; undefined for the library's own */
  heartbeatSeconds: number | undefined;
  /** The system's RECONCILE_MS; undefined for its own default. */
  reconcileMs: number | undefined;
  /** After the load, until every job must be finished. */
  patienceMs: number;
  /** Measurements. */
  kills: number;
  withoutBrokerMs: number;
  withoutBrokerPerSecond: number;
  /** Jobs that are watched by a browser each. */
  browsers: number;
  /** What is killed when so much of them is finished. */
  browserBlows: readonly [share: number, blow: 'RabbitMQ' | 'notifier'][];
  /** Jobs with a webhook each. */
  webhooks: number;
  /** A notifier is killed while webhooks are pending. */
  webhookKills: number;
  /** For everything. */
  limitMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

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
