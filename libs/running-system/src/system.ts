import { setTimeout as delay } from 'node:timers/promises';
import { freshDatabaseUrl, freshVhost, type FreshVhost } from '@offload/spec-kit';
import { startPooler, type PoolMode } from '@offload/spec-kit/servers';
import { startProgram, type Environment, type Program } from './program.ts';

/** The status that `/readyz` shows when it answers 200. */
export type Readiness = 'ready' | 'degraded';

/** An api, worker or notifier that listens on a free port of 127.0.0.1. */
export interface SystemProcess extends Program {
  /** Has no final slash. */
  readonly url: string;
}

/** The system under test: its processes, with a virtual host and a migrated database of their own. */
export interface System {
  /** Name of the virtual host, for RabbitMQ's management API. */
  readonly vhost: string;
  /** URL of the database itself, also where the processes connect through a pooler. */
  readonly databaseUrl: string;
  /** The environment of each process, without its port. */
  readonly environment: Readonly<Environment>;
  /**
   * Starts a process with `env`, which overrides `environment`. Resolves when `/readyz` shows `until`. Rejects with the
   * log when the process ends before. @default until ready
   */
  startApi(env?: Environment, until?: Readiness): Promise<SystemProcess>;
  startWorker(env?: Environment, until?: Readiness): Promise<SystemProcess>;
  startNotifier(env?: Environment, until?: Readiness): Promise<SystemProcess>;
  /** Kills every process that was started, and removes the virtual host. */
  stop(): Promise<void>;
}

/** The servers for a system, instead of those of the run. */
export interface SystemServers {
  /** URL of the database, which is created if missing. */
  databaseUrl: string;
  /** URL of a virtual host that no other system uses. It is not removed. */
  amqpUrl: string;
  /**
   * Puts a PgBouncer in this mode between processes and database. Migrations connect directly.
   * @default TEST_POOLER, or no pooler
   */
  poolMode?: PoolMode;
}

/**
 * Starts a system without processes: it migrates the database and registers the job types.
 *
 * @param servers @default a fresh database and a fresh virtual host of the run's servers
 */
export async function startSystem(servers?: SystemServers): Promise<System> {
  const vhost = servers ? givenVhost(servers.amqpUrl) : await freshVhost();
  const databaseUrl = servers?.databaseUrl ?? freshDatabaseUrl();
  const poolMode = servers?.poolMode ?? (process.env['TEST_POOLER'] as PoolMode | undefined);
  const pooler = poolMode ? await startPooler(databaseUrl, poolMode) : null;
  const environment = {
    DATABASE_URL: pooler?.url ?? databaseUrl,
    AMQP_URL: vhost.amqpUrl,
    NOTIFIER_URL: 'http://notifier.example', // what links begin with; the notifiers' ports are not known yet
    LOG_LEVEL: 'debug',
  };
  const programs: Program[] = [];

  function run(file: string, env: Environment, args: string[] = []): Program {
    const program = startProgram(file, { ...environment, ...env }, args);
    programs.push(program);
    return program;
  }

  function starter(app: string, portVariable: string) {
    return async (env: Environment = {}, until: Readiness = 'ready'): Promise<SystemProcess> => {
      const program = run(`apps/${app}/src/main.ts`, { [portVariable]: '0', ...env });
      const { port } = await program.line(({ msg }) => msg === 'listening');
      const started = { ...program, url: `http://127.0.0.1:${port}` };
      await readiness(started, until);
      return started;
    };
  }

  async function stop(): Promise<void> {
    await Promise.all(programs.map((program) => program.kill('SIGKILL')));
    await Promise.all([vhost.remove(), pooler?.remove()]);
  }

  try {
    const migrations = run('libs/database/src/run-migrations.ts', { DATABASE_URL: databaseUrl });
    const { code, output } = await migrations.exited;
    if (code !== 0) throw new Error(`The database was not migrated:\n${output}`);
    // Many tests have an api and no worker, so the job types are registered here.
    const types = await run('apps/worker/src/main.ts', { DATABASE_URL: databaseUrl }, ['--register-types']).exited;
    if (types.code !== 0) throw new Error(`The job types were not registered:\n${types.output}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    vhost: vhost.name,
    databaseUrl,
    environment,
    startApi: starter('api', 'API_PORT'),
    startWorker: starter('worker', 'WORKER_PORT'),
    startNotifier: starter('notifier', 'NOTIFIER_PORT'),
    stop,
  };
}

function givenVhost(amqpUrl: string): FreshVhost {
  const name = decodeURIComponent(new URL(amqpUrl).pathname.slice(1)) || '/';
  return { name, amqpUrl, remove: () => Promise.resolve() };
}

async function readiness(started: SystemProcess, until: Readiness): Promise<void> {
  const ended = started.line(() => false); // never resolves; rejects when the process ends
  while ((await Promise.race([ended, statusOf(started.url)])) !== until) await delay(50);
}

async function statusOf(url: string): Promise<unknown> {
  try {
    return ((await (await fetch(`${url}/readyz`)).json()) as { status?: unknown }).status;
  } catch {
    return undefined; // the process is ending
  }
}
