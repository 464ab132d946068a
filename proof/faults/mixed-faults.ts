import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault.ts';
import {
  cutWorkerFromBroker,
  cutWorkerFromDatabase,
  freezeWorker,
  killApiBeforeDispatch,
  killNotifier,
  killWorker,
  rollingRestart,
} from './process-faults.ts';
import { between, oneOf } from './random.ts';
import {
  alarmBroker,
  exhaustPools,
  killBroker,
  restartPostgres,
  terminateConnections,
  wipeBroker,
} from './server-faults.ts';

const ofServers = { alarmBroker, exhaustPools, killBroker, restartPostgres, terminateConnections, wipeBroker };
const ofProcesses = {
  cutWorkerFromBroker,
  cutWorkerFromDatabase,
  freezeWorker,
  killApiBeforeDispatch,
  killNotifier,
  killWorker,
  rollingRestart,
};

/**
 * Two sequences of faults at once, one of servers and one of processes, with pauses between the faults. The seed
 * decides the faults and their order. How the two meet depends on the machine too.
 */
export const mixedFaults: Fault = async (scene) => {
  const { pace, random } = scene;
  const lane = (faults: Readonly<Record<string, Fault>>) =>
    Array.from({ length: pace.mixed }, () => ({
      fault: oneOf(random, Object.values(faults)),
      pauseMs: between(random, 0, pace.calmMs),
    }));
  const lanes = [lane(ofServers), lane(ofProcesses)]; // drawn before the first fault
  await Promise.all(
    lanes.map(async (each) => {
      for (const { fault, pauseMs } of each) {
        await delay(pauseMs);
        await fault(scene);
      }
    }),
  );
};
