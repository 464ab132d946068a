import { setTimeout as delay } from 'node:timers/promises';
import type { Fault, Scene } from './fault.ts';
import type { Kind, Place } from './fleet.ts';
import { oneOf } from './random.ts';
import { isDelayed } from './scene.ts';

/** A place that is filled. */
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

export const killWorker: Fault = killOf('worker');
export const killNotifier: Fault = killOf('notifier');

/** Nothing it sends to the broker arrives any more, so that it answers 202 and dispatches nobody; then it is killed. */
export const killApiBeforeDispatch: Fault = async ({ fleet, load, pace, strike }) => {
  const place = fleet.of('api').find(({ ways, process }) => ways && process);
  if (!place?.ways || !place.process) return; // another fault has it
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

/** SIGSTOP, and SIGCONT after a while: the process does not notice. */
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

/** SIGSTOP until another worker runs one of its jobs; what it did before must not count any more when it goes on. */
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

/** One process after the other is told to end, and replaced. */
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

export const cutWorkerFromBroker: Fault = cutOff('broker');
export const cutWorkerFromDatabase: Fault = cutOff('database');
