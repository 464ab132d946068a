import { join } from 'node:path';

import {
  removePostgres,
  startEmbeddedPostgres,
  startEmbeddedRabbitmq,
  removeDataFolder,
} from '@offload/embedded-servers';
import { freePort } from '@offload/child-processes';
import type { ProcessLog } from './process-log.ts';
import type { Supervisor } from './supervisor.ts';

/** What the servers of `npm start` need. */
export interface MachineServersOptions {
  /** Folder with `postgres/` and `rabbitmq/`. */
  folder: string;
  supervisor: Supervisor;
  log: ProcessLog;
}

/** A RabbitMQ that is kept running. */
export interface KeptRabbitmq {
  /** URL with the ordinary user. */
  amqpUrl: string;
  /** Text for people: the management page, its user, and the file with the password. */
  managementPage: string;
}

/** Connections for the pools of all processes: 50 workers have 10 each. */
const MAX_CONNECTIONS = 600;

/**
 * Keeps an embedded PostgreSQL running, on port 5432 if that is free.
 *
 * @returns the URL of its database `offload`, with the ordinary role that owns it
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
        log: (line) => log('postgres', line),
      });
      url = server.ownerUrl;
      return { pids: [server.pid], exited: server.exited, stop: server.stop };
    },
  });
  return url;
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
      const { username } = new URL(server.amqpUrl);
      const managementPage = `${server.managementUrl} (user ${username}, its password is in ${server.passwordsFile})`;
      kept = { amqpUrl: server.ordinaryUrl, managementPage };
      return server;
    },
  });
  return kept;
}

/** Removes the data of both servers. Neither may run. */
export async function removeServerData(folder: string): Promise<void> {
  await removePostgres(join(folder, 'postgres'));
  await removeDataFolder(join(folder, 'rabbitmq'));
}
