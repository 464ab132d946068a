/** A figure that is measured for each system in each round. */
export interface Kind {
  title: string;
  unit: string;
  better: 'higher' | 'lower';
  /** Digits after the decimal point. @default 0 */
  digits?: number;
}

const perSecond = (title: string): Kind => ({ title, unit: '1/s', better: 'higher' });
const ms = (title: string, digits = 1): Kind => ({ title, unit: 'ms', better: 'lower', digits });
const mib = (title: string): Kind => ({ title, unit: 'MiB', better: 'lower' });
const each = (title: string): Kind => ({ title, unit: 'a job', better: 'lower', digits: 2 });
const cpu = (title: string): Kind => ({ title, unit: 'ms a job', better: 'lower', digits: 3 });

/** Every figure by its id. */
export const kinds = {
  accepted1: perSecond('accepted, 1 connection'),
  acceptedP50At1: ms('median', 2),
  acceptedP99At1: ms('p99', 2),
  accepted64: perSecond('accepted, 64 connections'),
  acceptedP50At64: ms('median'),
  acceptedP99At64: ms('p99'),
  accepted512: perSecond('accepted, 512 connections'),
  acceptedP50At512: ms('median'),
  acceptedP99At512: ms('p99'),
  settledAfter1: ms('all dispatch messages confirmed after 1 connection', 0),
  settledAfter64: ms('after 64', 0),
  settledAfter512: ms('after 512', 0),
  batch: perSecond('jobs in batches of 100'),
  run: perSecond('no-op jobs run'),
  pickUpP50: ms('median', 2),
  pickUpP99: ms('p99', 2),
  fsync: ms('8 KiB written and synced', 2),
  confirm: ms('published and confirmed', 2),
  makespan: { title: '200 jobs of 2 s, 40 at once', unit: 's', better: 'lower', digits: 3 } as Kind,
  cpuApi: cpu('api, accepted'),
  cpuAcceptPostgres: cpu('PostgreSQL, accepted'),
  cpuAcceptRabbitmq: cpu('RabbitMQ, accepted'),
  cpuAcceptRedis: cpu('Redis, accepted'),
  cpuWorker: cpu('worker, run'),
  cpuRunApi: cpu('api, run'),
  cpuRunPostgres: cpu('PostgreSQL, run'),
  cpuRunRabbitmq: cpu('RabbitMQ, run'),
  cpuRunRedis: cpu('Redis, run'),
  transactionsAccept: each('accepted'),
  transactionsRun: each('run'),
  memoryApiIdle: mib('api, idle'),
  memoryApi: mib('api, after the load'),
  memoryWorkerIdle: mib('worker, idle'),
  memoryWorker: mib('worker, after its jobs'),
  startApi: ms('api', 0),
  startWorker: ms('worker', 0),
  grownAccepted: perSecond('accepted, 64 connections'),
  grownRun: perSecond('no-op jobs run'),
  grownPickUpP50: ms('pick-up, median', 2),
  grownPickUpP99: ms('pick-up, p99', 2),
} satisfies Record<string, Kind>;

/** The id of a figure. */
export type KindId = keyof typeof kinds;
