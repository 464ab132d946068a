import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import {
  applicationService,
  applicationsOf,
  isReady,
  portFaults,
  SHUTDOWN_GRACE_MS,
  type Application,
  type ApplicationKind,
} from './applications.ts';
import { sourceArguments, describeExit, startChild } from '@offload/child-processes';
import { createEnding } from './ending.ts';
import { takeLock, type Lock } from './lock.ts';
import { keepPostgres, keepRabbitmq, removeServerData } from './machine-servers.ts';
import { createProcessLog, type ProcessLog } from './process-log.ts';
import { forgetServers, tellServers } from './servers-file.ts';
import { createSupervisor, MISCONFIGURED } from './supervisor.ts';
import { watchSources } from './watch-sources.ts';
import { keptWebhookSecrets } from './webhook-secrets.ts';

/** What `runSystem` needs. */
export interface SystemOptions {
  /** Root folder of the repository, whose sources run. */
  root: string;
  /** Folder of the data, the lock and the record of processes. */
  folder: string;
  /** The processes of the system, the api first. */
  kinds: readonly ApplicationKind[];
  /** The TypeScript file that migrates DATABASE_URL, from `root`. */
  migrations: string;
  /** Whether to remove the data of earlier runs first. */
  fresh: boolean;
  /** Whether to restart processes when their sources change. @default false */
  watch?: boolean;
  /** Variables of every process. Its DATABASE_URL and AMQP_URL replace the embedded servers. */
  env: NodeJS.ProcessEnv;
}

const READY_TIMEOUT_MS = 60_000;
/** Milliseconds in which a worker lets its jobs finish before a restart by `--watch`. */
const RELOAD_GRACE_MS = 100;

/**
 * Runs the whole system in this process's terminal until a signal ends it.
 *
 * @returns the exit code when all processes have ended: 1 when the system could not start, which the log explains
 * @throws AlreadyRunningError when it runs already
 */
export async function runSystem(options: SystemOptions): Promise<number> {
  const { root, folder, env } = options;
  const startedAt = performance.now();
  const apps = applicationsOf(options.kinds, env);
  const log = createProcessLog(
    ['offload', 'postgres', 'rabbitmq', 'migrate', ...apps.map(({ name }) => name)],
    process.stdout,
  );
  const say = (line: string) => log('offload', line);
  const { lock, leftovers } = await takeLock(folder);
  if (leftovers > 0) say(`ended ${leftovers} processes that an earlier run had left behind`);

  const ending = createEnding(say);
  const supervise = () => createSupervisor(supervision(log, lock, () => ending.request(1)));
  const [servers, processes] = [supervise(), supervise()];

  let unwatch = (): void => {};

  function reload(changed: readonly string[]): void {
    for (const { name } of apps.filter(({ main }) => changed.includes(main))) {
      log(name, 'sources changed: starting again');
      void processes.restart(name);
    }
  }

  async function boot(): Promise<void> {
    const faults = await portFaults(apps);
    if (faults.length > 0) throw new Error(faults.join('\n'));
    if (options.fresh && env['DATABASE_URL'] && !env['AMQP_URL']) {
      throw new Error(
        '--fresh would remove the dispatch messages of jobs that stay in the database of DATABASE_URL: leave one of them out.',
      );
    }
    if (options.fresh) await removeServerData(folder);
    say(`starting, data in ${folder}`);
    if (Number(env['SHUTDOWN_GRACE_MS']) > SHUTDOWN_GRACE_MS) {
      say(`SHUTDOWN_GRACE_MS=${env['SHUTDOWN_GRACE_MS']} counts as ${SHUTDOWN_GRACE_MS}: npm start waits no longer`);
    }

    const context = { folder, supervisor: servers, log };
    const [databaseUrl, rabbitmq] = await Promise.all([
      database(),
      env['AMQP_URL'] ? { amqpUrl: env['AMQP_URL'], managementPage: undefined } : keepRabbitmq(context),
    ]);
    async function database(): Promise<string> {
      const url = env['DATABASE_URL'] || (await keepPostgres(context));
      await migrate(options, url, ending.signal, (line) => log('migrate', line));
      return url;
    }

    const notifiers = apps.filter(({ kind }) => kind === 'notifier').map(({ url }) => url);
    const notifierUrl = env['NOTIFIER_URL'] || notifiers[0];
    const webhooks = env['WEBHOOK_SECRETS'] ? undefined : keptWebhookSecrets(folder);
    const appEnv = {
      ...env,
      ...(webhooks && { WEBHOOK_SECRETS: webhooks.secrets }),
      ...{ NOTIFIER_URL: notifierUrl, DATABASE_URL: databaseUrl, AMQP_URL: rabbitmq.amqpUrl },
      // Tokens are short-lived, so they may become invalid with the end of the run.
      EVENT_TOKEN_SECRET: env['EVENT_TOKEN_SECRET'] || randomBytes(32).toString('hex'),
      ...(options.watch && {
        SHUTDOWN_GRACE_MS: env['SHUTDOWN_GRACE_MS'] || String(RELOAD_GRACE_MS),
        REPLACE_SCHEMAS: env['REPLACE_SCHEMAS'] || 'true',
      }),
    };
    tellServers(folder, appEnv);
    const services = apps.map((app) => applicationService(app, root, appEnv, (line) => log(app.name, line)));
    await Promise.all(services.map((service) => processes.keep(service)));
    await allReady(apps, ending.signal);
    if (options.watch)
      unwatch = watchSources(
        root,
        apps.map(({ main }) => main),
        reload,
      );
    const api = apps.find(({ kind }) => kind === 'api')?.url;
    process.stdout.write(
      welcome({
        ...{ api, notifiers, rabbitmq: rabbitmq.managementPage, afterMs: performance.now() - startedAt },
        servers: [
          ...(env['DATABASE_URL'] ? [] : [`PostgreSQL ${new URL(databaseUrl).host}`]),
          ...(env['AMQP_URL'] ? [] : [`RabbitMQ ${new URL(rabbitmq.amqpUrl).host}`]),
        ],
        withKeys: Boolean(env['API_KEYS']),
        webhookSecrets: webhooks?.file,
      }),
    );
  }

  boot().catch((error: Error) => {
    if (!ending.signal.aborted) say(error.message);
    ending.request(1);
  });
  const exitCode = await ending.requested;
  unwatch();
  await processes.stop();
  await servers.stop();
  forgetServers(folder);
  lock.release();
  say('stopped');
  return exitCode;
}

function supervision(log: ProcessLog, lock: Lock, giveUp: () => void) {
  return {
    log,
    onProcesses: lock.record,
    onMisconfigured(service: string) {
      log(service, `refuses its configuration (exit code ${MISCONFIGURED}), the reason is above: stopping`);
      giveUp();
    },
  };
}

async function migrate(
  { root, migrations, env }: SystemOptions,
  url: string,
  abort: AbortSignal,
  onLine: (line: string) => void,
) {
  const child = await startChild(process.execPath, sourceArguments(migrations), {
    cwd: root,
    env: { ...env, DATABASE_URL: url },
    abort,
    onLine,
  });
  const exit = await child.exited;
  if (exit.code !== 0) throw new Error(`The migrations failed (${describeExit(exit)}), the reason is above.`);
}

async function allReady(apps: readonly Application[], signal: AbortSignal): Promise<void> {
  const until = performance.now() + READY_TIMEOUT_MS;
  let waiting = [...apps];
  for (;;) {
    const ready = await Promise.all(waiting.map(isReady));
    waiting = waiting.filter((_, index) => !ready[index]);
    if (waiting.length === 0) return;
    if (performance.now() > until) {
      const names = waiting.map(({ name, url }) => `${name} (${url}/readyz)`).join(', ');
      throw new Error(`not ready after ${READY_TIMEOUT_MS / 1000} s: ${names}`);
    }
    await delay(100, undefined, { signal });
  }
}

/** The text that begins with "ready" and shows the first commands to try. */
function welcome({
  api,
  notifiers,
  rabbitmq,
  servers,
  afterMs,
  withKeys,
  webhookSecrets,
}: {
  api: string | undefined;
  notifiers: string[];
  rabbitmq: string | undefined;
  /** The servers that it runs, with their ports. */
  servers: string[];
  afterMs: number;
  withKeys: boolean;
  /** The file with the secrets of webhooks; undefined if they are given. */
  webhookSecrets: string | undefined;
}): string {
  const hooks =
    webhookSecrets === undefined ? '' : `\n  hooks:  the secret that webhooks are signed with is in ${webhookSecrets}`;
  const data = servers.length === 0 ? '' : `\n  data:   ${servers.join(', ')}`;
  const key = withKeys ? " -H 'authorization: Bearer <key>'" : '';
  return `
ready after ${(afterMs / 1000).toFixed(1)} s: api ${api}, notifiers ${notifiers.join(' ')}${rabbitmq ? `, RabbitMQ ${rabbitmq}` : ''}

  watch:  curl -N ${notifiers[0]}/v1/events${key}
  post:   curl -i ${api}/v1/jobs -H 'content-type: application/json'${key} -d '{"type":"demo.sleep","payload":{"seconds":10}}'${hooks}${data}
  stop:   Ctrl-C

`;
}
