import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { startEmbeddedPostgres } from '../postgres/embedded-postgres.ts';
import { startEmbeddedRabbitmq } from '../rabbitmq/embedded-rabbitmq.ts';
import { freePort } from '../processes/ports.ts';
import { removePostgresFolder } from '../postgres/postgres-account.ts';
import type { ProcessLog } from '../processes/process-log.ts';
import type { Supervisor } from './supervisor.ts';

/** Where the servers of `npm start` live, and what keeps them running. */
export interface MachineServersOptions {
  /** keeps `postgres/` and `rabbitmq/` */
  folder: string;
  supervisor: Supervisor;
  log: ProcessLog;
}

export interface KeptRabbitmq {
  amqpUrl: string;
  /** for people: the page with its user and password */
  managementPage: string;
}

/** All processes' pools together: 50 workers have 10 connections each. */
const MAX_CONNECTIONS = 600;

/** The migrations look for the database before they create it: no fault. */
const MIGRATING = /FATAL: {2}database "offload" does not exist/;

/**
 * Keeps an embedded PostgreSQL running, on port 5432 if that is free.
 * @returns the URL of its database `offload`, which migrating creates
 */
export async function keepPostgres({ folder, supervisor, log }: MachineServersOptions): Promise<string> {
  const port = await freePort(5432);
  let url = '';
  await supervisor.keep({
    name: 'postgres',
    async start(abort) {
      const server = await startEmbeddedPostgres({
        dataDir: join(folder, 'postgres'),
        port,
        settings: { max_connections: MAX_CONNECTIONS },
        abort,
        log: (line) => MIGRATING.test(line) || log('postgres', line),
      });
      ({ url } = server);
      return { pids: [server.pid], exited: server.exited, stop: server.stop };
    },
  });
  const database = new URL(url);
  database.pathname = '/offload';
  return database.href;
}

/** Keeps a private RabbitMQ node running, on the ports 5672 and 15672 if they are free. */
export async function keepRabbitmq({ folder, supervisor, log }: MachineServersOptions): Promise<KeptRabbitmq> {
  const [amqpPort, managementPort] = [await freePort(5672), await freePort(15672)];
  let kept: KeptRabbitmq = { amqpUrl: '', managementPage: '' };
  await supervisor.keep({
    name: 'rabbitmq',
    async start(abort) {
      const server = await startEmbeddedRabbitmq({
        dataDir: join(folder, 'rabbitmq'),
        amqpPort,
        managementPort,
        abort,
        log: (line) => log('rabbitmq', line),
      });
      const { username, password } = new URL(server.amqpUrl);
      kept = { amqpUrl: server.amqpUrl, managementPage: `${server.managementUrl} (${username} / ${password})` };
      return server;
    },
  });
  return kept;
}

/** Removes what both have stored. Neither may be running. */
export async function removeServerData(folder: string): Promise<void> {
  await removePostgresFolder(join(folder, 'postgres'));
  await rm(join(folder, 'rabbitmq'), { recursive: true, force: true });
}
