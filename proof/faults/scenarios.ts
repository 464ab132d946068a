import type { Environment } from '@offload/running-system';
import type { Fault } from './fault.ts';
import type { Fleet } from './fleet.ts';
import { mixedFaults } from './mixed-faults.ts';
import type { Pace } from './pace.ts';
import {
  cutWorkerFromBroker,
  cutWorkerFromDatabase,
  freezeWorker,
  killApiBeforeDispatch,
  killNotifier,
  killWorker,
  rollingRestart,
  thawTooLate,
} from './process-faults.ts';
import {
  alarmBroker,
  exhaustPools,
  killBroker,
  restartPostgres,
  terminateConnections,
  wipeBroker,
  wipeBrokerAndKillWorker,
} from './server-faults.ts';
import type { Cause } from './verdict.ts';

/** A load of jobs with faults. */
export interface Scenario {
  /** Name for `--only` and for the ledger's addresses. */
  name: string;
  /** Describes the faults. */
  title: string;
  fault?: Fault;
  /** Whether the fault is short and is repeated. */
  repeated?: boolean;
  /** Causes of second attempts that the fault makes unavoidable. */
  allowed: readonly Cause[];
  /** Milliseconds of a run that is not the first of its job. @default as the first */
  againMs?: number;
  /** Places whose connections go through proxies. */
  cuttable?: readonly string[];
  /** Checks, before the load, that the scenario is meaningful. @returns the faults */
  check?(fleet: Fleet): string[];
  /** Further variables of a place's processes. `amqpUrl` is their URL of the broker. */
  environment?(place: string, pace: Pace, amqpUrl: string): Environment;
}

const HOUR_MS = 60 * 60 * 1_000;
/** Options that load modules before the program. The second module needs the first. */
const SHIFTED_CLOCK = '--import tsx --import ./proof/faults/shifted-clock.ts';
const clocks: Readonly<Record<string, number>> = {
  'api-1': HOUR_MS,
  'api-2': -HOUR_MS,
  'worker-1': -HOUR_MS,
  'worker-2': HOUR_MS,
};
/** A worker that has lost its delivery requeues the job, unless another worker takes over first. */
const DELIVERY_LOST = ['worker lost', 'given back'] as const;

/** Sets a short heartbeat, so that the broker detects a silent worker in time. */
function shortHeartbeat(place: string, { heartbeatSeconds }: Pace, amqpUrl: string): Environment {
  if (!place.startsWith('worker') || heartbeatSeconds === undefined) return {};
  return { AMQP_URL: `${amqpUrl}?heartbeat=${heartbeatSeconds}` };
}

/** Finds clocks that are not shifted: the scenario must not pass because of that. */
function clockFaults({ places }: Fleet): string[] {
  return places.flatMap(({ name, process }) => {
    const offMs = Date.parse(String(process?.log[0]?.time)) - Date.now();
    const wrong = Math.abs(offMs - (clocks[name] ?? 0)) > HOUR_MS / 10;
    return wrong ? [`the clock of ${name} is ${offMs} ms off`] : [];
  });
}

/** All scenarios. */
export const scenarios: readonly Scenario[] = [
  { name: 'none', title: 'no fault', allowed: [] },
  { name: 'worker', title: '`kill -9` of a worker', fault: killWorker, repeated: true, allowed: ['worker lost'] },
  {
    name: 'api',
    title: '`kill -9` of an api between its 202 and the dispatch message',
    fault: killApiBeforeDispatch,
    repeated: true,
    allowed: [],
    cuttable: ['api-1'],
  },
  { name: 'notifier', title: '`kill -9` of the notifier', fault: killNotifier, repeated: true, allowed: [] },
  { name: 'broker', title: '`kill -9` of RabbitMQ, started again', fault: killBroker, allowed: DELIVERY_LOST },
  { name: 'wiped', title: 'RabbitMQ killed, and started without its data', fault: wipeBroker, allowed: DELIVERY_LOST },
  {
    name: 'wiped-worker',
    title: 'RabbitMQ started without its data, and `kill -9` of a worker at the same moment',
    fault: wipeBrokerAndKillWorker,
    allowed: DELIVERY_LOST,
  },
  { name: 'alarm', title: "RabbitMQ's memory alarm", fault: alarmBroker, allowed: [] },
  {
    name: 'postgres',
    title: 'PostgreSQL restarted in immediate mode',
    fault: restartPostgres,
    repeated: true,
    allowed: [],
  },
  {
    name: 'connections',
    title: 'all connections to PostgreSQL terminated',
    fault: terminateConnections,
    repeated: true,
    allowed: [],
  },
  { name: 'pools', title: 'the table of jobs locked, every pool used up', fault: exhaustPools, allowed: [] },
  {
    name: 'frozen',
    title: 'a worker frozen (`SIGSTOP`) and thawed',
    fault: freezeWorker,
    allowed: DELIVERY_LOST,
    environment: shortHeartbeat,
  },
  {
    name: 'thawed',
    title: 'a worker frozen, and thawed while another runs its jobs',
    fault: thawTooLate,
    allowed: DELIVERY_LOST,
    againMs: 5_000,
    environment: shortHeartbeat,
  },
  {
    name: 'cut-broker',
    title: 'a worker cut off from RabbitMQ alone, first with a reset, then silently',
    fault: cutWorkerFromBroker,
    allowed: DELIVERY_LOST,
    cuttable: ['worker-1'],
    environment: shortHeartbeat,
  },
  {
    name: 'cut-database',
    title: 'a worker cut off from PostgreSQL alone, in both ways',
    fault: cutWorkerFromDatabase,
    allowed: [],
    cuttable: ['worker-1'],
  },
  {
    name: 'restart',
    title: 'every process restarted with `SIGTERM`, one after the other',
    fault: rollingRestart,
    allowed: [],
  },
  {
    name: 'clock',
    title: 'clocks of an api and a worker an hour ahead, clocks of others an hour behind',
    allowed: [],
    check: clockFaults,
    environment: (place): Environment =>
      place in clocks ? { NODE_OPTIONS: SHIFTED_CLOCK, CLOCK_SHIFT_MS: String(clocks[place]) } : {},
  },
  {
    name: 'mixed',
    title: 'all of these at random, two at a time',
    fault: mixedFaults,
    allowed: DELIVERY_LOST,
    cuttable: ['api-1', 'worker-1'],
  },
];
