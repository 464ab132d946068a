import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, Scene } from './fault.ts';
import type { Kind, Place } from './fleet.ts';
import { oneOf } from './random.ts';
import { isDelayed } from './scene.ts';

/** Chooses a place with a process. */
function anyOf({ fleet, random }: Scene, kind: Kind): Place {
  return oneOf(
    random,
    fleet.of(kind).filter(({ process }) => process),
  );
}

function killOf(kind: Kind): Fault {
  return async (scene) => {
    const place = anyOf(scene, kind);
    scene.strike(`kill -9 of ${place.name}`);
    await scene.fleet.end(place, 'SIGKILL');
    await scene.fleet.fill(place);
  };
}

/** Kills a worker and replaces it. */
export const killWorker: Fault = killOf('worker');
/** Kills a notifier and replaces it. */
export const killNotifier: Fault = killOf('notifier');

/** Holds an api's messages to the broker, so that it answers 202 without dispatching, and then kills it. */
export const killApiBeforeDispatch: Fault = async ({ fleet, load, pace, strike }) => {
  const place = fleet.of('api').find(({ ways, process }) => ways && process);
  if (!place?.ways || !place.process) return; // another fault uses it
  const { url } = place.process;
  const since = Date.now();
  place.ways.broker.hold('requests');
  await delay(Math.min(pace.calmMs, 1_500)); // less than the two seconds after which any relay may dispatch
  const stranded = [...load.accepted.values()].filter(
    ({ api, at, job }) => api === url && at > since && !isDelayed(job),
  );
  strike(
    `kill -9 of ${place.name}, which had answered ${stranded.length} jobs with 202 and dispatched none of them`,
    stranded.map(({ job }) => job),
  );
  await fleet.end(place, 'SIGKILL');
  place.ways.broker.cut();
  await fleet.fill(place);
};

/** Freezes a worker by SIGSTOP for a while. The process does not notice. */
export const freezeWorker: Fault = async (scene) => {
  const { name, process: frozen } = anyOf(scene, 'worker');
  if (!frozen) return;
  scene.strike(`SIGSTOP of ${name}`);
  process.kill(frozen.pid, 'SIGSTOP');
  try {
    await delay(scene.pace.freezeMs);
  } finally {
    process.kill(frozen.pid, 'SIGCONT');
  }
};

/** Freezes a worker until another worker runs one of its jobs. After SIGCONT its outcome must not count any more. */
export const thawTooLate: Fault = async (scene) => {
  const { name, process: frozen } = anyOf(scene, 'worker');
  if (!frozen) return;
  const before = scene.runsAgain();
  scene.strike(`SIGSTOP of ${name}, until its jobs run elsewhere`);
  process.kill(frozen.pid, 'SIGSTOP');
  try {
    for (const until = Date.now() + 2 * scene.pace.freezeMs; scene.runsAgain() === before && Date.now() < until;) {
      await delay(20);
    }
  } finally {
    process.kill(frozen.pid, 'SIGCONT');
  }
};

/** Restarts every process, one after the other. */
export const rollingRestart: Fault = async ({ fleet, strike }) => {
  for (const place of fleet.places) {
    strike(`SIGTERM to ${place.name}`);
    await fleet.end(place, 'SIGTERM');
    await fleet.fill(place);
  }
};

function cutOff(from: 'broker' | 'database'): Fault {
  return async ({ fleet, pace, random, strike }) => {
    const place = oneOf(
      random,
      fleet.of('worker').filter(({ ways }) => ways),
    );
    const way = place.ways?.[from];
    if (!way) return;
    strike(`${place.name} cut off from the ${from}`);
    way.shut();
    way.cut();
    await delay(pace.cutMs);
    await way.open();
    await delay(pace.calmMs);
    strike(`${place.name} cut off from the ${from} without a word`);
    way.shut();
    way.hold();
    await delay(pace.silenceMs);
    way.cut();
    await way.open();
  };
}

/** Cuts a worker's connection to the broker. */
export const cutWorkerFromBroker: Fault = cutOff('broker');
/** Cuts a worker's connections to the database. */
export const cutWorkerFromDatabase: Fault = cutOff('database');
