import { setTimeout as delay } from 'node:timers/promises';
import { openProxy, type Proxy } from '@offload/spec-kit/servers';
import type { Environment, System, SystemProcess } from '@offload/running-system';

export type Kind = 'api' | 'worker' | 'notifier';

/** A place in the system, which one process after another fills. */
export interface Place {
  /** `api-1`, `worker-1`, ... */
  readonly name: string;
  readonly kind: Kind;
  /** undefined while nothing runs there */
  process: SystemProcess | undefined;
  /** ways to the servers that can be cut; undefined unless the place was made with them */
  readonly ways: { broker: Proxy; database: Proxy } | undefined;
}

export interface FleetOptions {
  /** how many of each */
  count: Readonly<Record<Kind, number>>;
  /** Places whose ways to broker and database can be cut. */
  cuttable: readonly string[];
  /** what a place's processes get besides; `amqpUrl` is their way to the broker */
  environment(place: string, amqpUrl: string): Environment;
}

/** The processes of the system under test, each of which is replaced when a fault has ended it. */
export interface Fleet {
  readonly places: readonly Place[];
  /** What happened that nobody asked for: processes that ended by themselves, or with the wrong exit code. */
  readonly surprises: readonly string[];
  of(kind: Kind): Place[];
  /** The apis that can be asked now. */
  apis(): SystemProcess[];
  /** Ends the process of a place: SIGTERM must lead to exit code 0. The place is empty then. */
  end(place: Place, signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
  /** Fills an empty place; resolves when the process is ready. */
  fill(place: Place): Promise<void>;
  /** Every process's whole output, by place; ends them all. */
  close(): Promise<Map<string, string>>;
}

const START_TIMEOUT_MS = 60_000;

export async function startFleet(system: System, { count, cuttable, environment }: FleetOptions): Promise<Fleet> {
  const starters = { api: system.startApi, worker: system.startWorker, notifier: system.startNotifier };
  const servers = system.environment as { AMQP_URL: string; DATABASE_URL: string };
  const surprises: string[] = [];
  const outputs = new Map<string, Promise<string>>();
  /** ended by us */
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
    starting.catch(() => undefined); // late: the system was stopped meanwhile
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
