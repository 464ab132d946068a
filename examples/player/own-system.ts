import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@offload/child-processes';
import { KILLED, startProgram, type Program } from './program.ts';

/** An Offload like that of `npm start`, with one api, one worker and one notifier. */
export interface OwnSystem {
  /** URL of the api. */
  readonly api: string;
  /** Kills a process, and starts another in its place; `env` wins over what it had. Resolves when it is ready. */
  restart(app: 'api' | 'worker' | 'notifier', env?: NodeJS.ProcessEnv): Promise<void>;
  /** Kills all of it. */
  kill(): Promise<void>;
  /** Warnings and errors of its processes, complete after the kill. */
  readonly complaints: readonly string[];
}

/** What `startOwnSystem` needs. */
export interface OwnSystemOptions {
  /** URL of the database, which is created if missing. */
  databaseUrl: string;
  amqpUrl: string;
  /** Further variables of its processes. */
  env: NodeJS.ProcessEnv;
  /** Kills all processes when it fires. */
  abort: AbortSignal;
}

const READY_MS = 30_000;
const LOOK_AGAIN_MS = 50;
/** The inherited variables. Others of the developer's environment would change results. */
const INHERITED = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'SystemRoot'];

/** Starts a system. Resolves when all processes are ready; otherwise kills those that have started. */
export async function startOwnSystem({ databaseUrl, amqpUrl, env, abort }: OwnSystemOptions): Promise<OwnSystem> {
  const ports = { api: await freePort(), worker: await freePort(), notifier: await freePort() };
  const environment = {
    ...Object.fromEntries(INHERITED.map((name) => [name, process.env[name]])),
    DATABASE_URL: databaseUrl,
    AMQP_URL: amqpUrl,
    LOG_LEVEL: 'warn',
    API_PORT: String(ports.api),
    WORKER_PORT: String(ports.worker),
    NOTIFIER_PORT: String(ports.notifier),
    NOTIFIER_URL: `http://127.0.0.1:${ports.notifier}`,
    ...env,
  };
  const running = new Map<string, Program>();
  const complaints: string[] = [];

  function run(name: string, file: string, more: NodeJS.ProcessEnv = {}): Program {
    const write = (line: string): void => void (line === KILLED || complaints.push(`${name}: ${line}`));
    const program = startProgram({ file, args: [], env: { ...environment, ...more }, abort, write });
    running.set(name, program);
    return program;
  }

  async function startApp(app: keyof typeof ports, more?: NodeJS.ProcessEnv): Promise<void> {
    const program = run(app, `apps/${app}/src/main.ts`, more);
    const until = performance.now() + READY_MS;
    while (!(await isReady(ports[app]))) {
      if (!program.alive) throw new Error(`the ${app} has ended`);
      if (performance.now() > until) throw new Error(`the ${app} is not ready after ${READY_MS / 1_000} s`);
      await delay(LOOK_AGAIN_MS, undefined, { signal: abort });
    }
  }

  const system: OwnSystem = {
    api: `http://127.0.0.1:${ports.api}`,
    complaints,
    async restart(app, more) {
      await running.get(app)?.kill();
      await startApp(app, more);
    },
    async kill() {
      for (const program of running.values()) if (!program.over) await program.kill();
    },
  };
  try {
    const migrations = run('migrations', 'libs/database/src/run-migrations.ts');
    if (!(await migrations.ends())) throw new Error('the migrations failed');
    complaints.length = 0; // drop the output of the migrations
    await Promise.all([startApp('api'), startApp('worker'), startApp('notifier')]);
    return system;
  } catch (error) {
    await system.kill();
    throw withComplaints(error as Error, complaints);
  }
}

/** Adds the log of the processes to an error. */
export function withComplaints(error: Error, complaints: readonly string[]): Error {
  return new Error([error.message, ...complaints].join('\n'), { cause: error });
}

async function isReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // not listening yet
  }
}
