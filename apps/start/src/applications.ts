import { setTimeout as delay } from 'node:timers/promises';

import { sourceArguments, startChild, type LineSink, portIsFree } from '@offload/child-processes';
import { wholeNumber } from './start-options.ts';
import type { Service } from './supervisor.ts';

/** One kind of process of the system. */
export interface ApplicationKind {
  kind: 'api' | 'worker' | 'notifier';
  /** The TypeScript file to run, from the repository's root. */
  main: string;
  /** Name of the variable with the port of the first instance. Each instance gets its own port in it. */
  portVariable: string;
  /** Port of the first instance when that variable is not set. */
  port: number;
  count: number;
  /** QUEUES of each instance, in their order; undefined keeps that of the environment. @default undefined for all */
  queues?: readonly (string | undefined)[];
}

/** One process of the system. */
export interface Application {
  /** `api`, `worker-1`, ... */
  name: string;
  kind: ApplicationKind['kind'];
  main: string;
  portVariable: string;
  port: number;
  /** Its QUEUES; undefined keeps that of the environment. */
  queues: string | undefined;
  /** URL at which others on this machine reach it. */
  url: string;
}

/** Interval between checks of a starting process, in milliseconds. */
const READY_POLL_MS = 100;
/** Milliseconds between SIGTERM and SIGKILL. */
const STOP_GRACE_MS = 8_000;
/** Milliseconds of that in which a worker lets its jobs finish before it requeues them. */
export const SHUTDOWN_GRACE_MS = 3_000;

/**
 * Lists every process with its port. The instances of a kind use the port in its variable and the next ones.
 *
 * @throws Error that names each variable with an invalid port
 */
export function applicationsOf(kinds: readonly ApplicationKind[], env: NodeJS.ProcessEnv): Application[] {
  const { HOST: host = '' } = env;
  const reachable = ['', '0.0.0.0', '::'].includes(host) ? '127.0.0.1' : host;
  const faults: string[] = [];
  const portOf = (variable: string, preset: number, count: number): number => {
    try {
      return wholeNumber(variable, env[variable] || String(preset), 1, 65_535 - count);
    } catch (error) {
      faults.push((error as Error).message);
      return preset;
    }
  };
  const applications = kinds.flatMap(({ kind, main, portVariable, port: preset, count, queues }) => {
    const first = portOf(portVariable, preset, count);
    return Array.from({ length: count }, (_, index) => {
      const [name, port] = [kind === 'api' ? kind : `${kind}-${index + 1}`, first + index];
      return { name, kind, main, portVariable, port, queues: queues?.[index], url: `http://${reachable}:${port}` };
    });
  });
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return applications;
}

/** Makes a message for each port that is taken or used twice, with the variable that changes it. */
export async function portFaults(applications: readonly Application[]): Promise<string[]> {
  const owners = new Map<number, string>();
  const faults: string[] = [];
  for (const { name, port, portVariable } of applications) {
    const owner = owners.get(port);
    if (owner) faults.push(`port ${port} is wanted by both ${owner} and ${name}: set ${portVariable} to another one`);
    else if (!(await portIsFree(port)))
      faults.push(`port ${port} of ${name} is taken: set ${portVariable} to another one`);
    owners.set(port, name);
  }
  return faults;
}

/** Makes the service of a process, which runs from its sources in `root`. */
export function applicationService(app: Application, root: string, env: NodeJS.ProcessEnv, log: LineSink): Service {
  return {
    name: app.name,
    async start(abort) {
      const child = await startChild(process.execPath, sourceArguments(app.main), {
        cwd: root,
        env: {
          ...{ ...env, ...shutdownGrace(env), INSTANCE: app.name, [app.portVariable]: String(app.port) },
          ...(app.queues !== undefined && { QUEUES: app.queues }),
        },
        abort,
        onLine: log,
      });
      const { pid, exited, tail } = child;
      return {
        pids: [pid],
        ready: readiness(app, exited),
        exited,
        tail,
        stop: () => child.stop('SIGTERM', STOP_GRACE_MS),
      };
    },
  };
}

/** Resolves when the process is ready. Never resolves if it ends before. */
async function readiness(app: Application, exited: Promise<unknown>): Promise<void> {
  let ended = false;
  void exited.then(() => (ended = true));
  for (;;) {
    const ready = await isReady(app);
    if (ended) return new Promise(() => undefined); // another program may have answered on its port
    if (ready) return;
    await Promise.race([exited, delay(READY_POLL_MS)]);
  }
}

function shutdownGrace({ SHUTDOWN_GRACE_MS: given }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return given && !(Number(given) > SHUTDOWN_GRACE_MS) ? {} : { SHUTDOWN_GRACE_MS: String(SHUTDOWN_GRACE_MS) };
}

/** Whether `GET /readyz` answers 200. */
export async function isReady({ url }: Application): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // not listening yet
  }
}
