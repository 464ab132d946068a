import { setTimeout as delay } from 'node:timers/promises';
import { openProxy, type Proxy } from '@offload/spec-kit/servers';
import type { Environment, System, SystemProcess } from '@offload/running-system';

/** A kind of process. */
export type Kind = 'api' | 'worker' | 'notifier';

/** A place in the system, which has one process after another. */
export interface Place {
  /** Such as `api-1` or `worker-1`. */
  readonly name: string;
  readonly kind: Kind;
  /** Undefined while no process runs there. */
  process: SystemProcess | undefined;
  /** Proxies to the servers; undefined unless the place is cuttable. */
  readonly ways: { broker: Proxy; database: Proxy } | undefined;
}

/** Options of {@link startFleet}. */
export interface FleetOptions {
  /** Number of processes of each kind. */
  count: Readonly<Record<Kind, number>>;
  /** Names of the places whose connections can be cut. */
  cuttable: readonly string[];
  /** Further variables of a place's processes. `amqpUrl` is their URL of the broker. */
  environment(place: string, amqpUrl: string): Environment;
}

/** The processes of the system under test. A process that a fault has ended is replaced. */
export interface Fleet {
  readonly places: readonly Place[];
  /** Unintended events: processes that ended by themselves, or with a wrong exit code. */
  readonly surprises: readonly string[];
  of(kind: Kind): Place[];
  /** The running apis. */
  apis(): SystemProcess[];
  /** Ends the process of a place, which is empty then. After SIGTERM the exit code must be 0. */
  end(place: Place, signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Starts a process in an empty place. Resolves when it is ready. */
  fill(place: Place): Promise<void>;
  /** Ends all processes. @returns the output of each, by place */
  close(): Promise<Map<string, string>>;
}

const START_TIMEOUT_MS = 60_000;

/** Starts all processes. */
export async function startFleet(system: System, { count, cuttable, environment }: FleetOptions): Promise<Fleet> {
  const starters = { api: system.startApi, worker: system.startWorker, notifier: system.startNotifier };
  const servers = system.environment as { AMQP_URL: string; DATABASE_URL: string };
  const surprises: string[] = [];
  const outputs = new Map<string, Promise<string>>();
  /** Processes that the fleet has ended itself. */
  const asked = new Set<SystemProcess>();

  async function makePlace(kind: Kind, name: string): Promise<Place> {
    if (!cuttable.includes(name)) return { name, kind, process: undefined, ways: undefined };
    const ways = { broker: await openProxy(servers.AMQP_URL), database: await openProxy(servers.DATABASE_URL) };
    return { name, kind, process: undefined, ways };
  }

  async function fill(place: Place): Promise<void> {
    const { name, kind, ways } = place;
    const urls = {
      AMQP_URL: ways?.broker.url ?? servers.AMQP_URL,
      DATABASE_URL: ways?.database.url ?? servers.DATABASE_URL,
    };
    const starting = starters[kind]({ ...urls, INSTANCE: name, ...environment(name, urls.AMQP_URL) });
    starting.catch(() => undefined); // the system was stopped during a late start
    const started = await Promise.race([starting, delay(START_TIMEOUT_MS, undefined, { ref: false })]);
    if (!started) throw new Error(`${name} was not ready after ${START_TIMEOUT_MS / 1_000} s`);
    place.process = started;
    outputs.set(
      `${name}.${started.pid}`,
      started.exited.then(({ output }) => output),
    );
    void started.exited.then(({ code, output }) => {
      if (place.process === started) place.process = undefined;
      if (asked.has(started)) return;
      surprises.push(`${name} ended by itself with code ${code}: ${output.trimEnd().split('\n').at(-1)}`);
    });
  }

  const names = Object.entries(count).flatMap(([kind, howMany]) =>
    Array.from({ length: howMany }, (_, index) => [kind as Kind, `${kind}-${index + 1}`] as const),
  );
  const places = await Promise.all(names.map(([kind, name]) => makePlace(kind, name)));
  await Promise.all(places.map(fill));

  return {
    places,
    surprises,
    of: (kind) => places.filter((place) => place.kind === kind),
    apis: () => places.flatMap(({ kind, process }) => (kind === 'api' && process ? [process] : [])),
    async end(place, signal) {
      const ending = place.process;
      if (!ending) return;
      asked.add(ending);
      place.process = undefined;
      const code = await ending.kill(signal);
      if (signal === 'SIGTERM' && code !== 0) surprises.push(`${place.name} ended with code ${code} after SIGTERM`);
    },
    fill,
    async close() {
      for (const { process } of places) if (process) asked.add(process);
      await system.stop();
      await Promise.all(places.flatMap(({ ways }) => (ways ? [ways.broker.close(), ways.database.close()] : [])));
      const texts = [...outputs].map(async ([name, output]) => [name, await output] as const);
      return new Map(await Promise.all(texts));
    },
  };
}
