import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removePostgres, startEmbeddedPostgres, startEmbeddedRabbitmq } from '@offload/embedded-servers';
import { ask } from './ask.ts';
import { openManagement, type Management } from './management.ts';
import { startRedis, type RedisServer } from './redis.ts';

/** The servers of the measured systems, one of each, with no other data. */
export interface Ground {
  folder: string;
  /** URL of a database in PostgreSQL, which need not exist. */
  databaseUrl(name: string): string;
  amqpUrl: string;
  management: Management;
  redis: RedisServer | { missing: string };
  /** Process ids by server. */
  pids: { postgres: number; rabbitmq: number; redis: number };
  /** `PostgreSQL 18.4`, ... */
  versions: string[];
  stop(): Promise<void>;
}

/**
 * Connections for the pools of all processes that run at once. Other settings are PostgreSQL's defaults: fsync, 128 MiB
 * of buffers.
 */
const postgresSettings = { max_connections: 300 };

/** Starts the servers. @throws Error when PostgreSQL or RabbitMQ does not start; Redis is optional */
export async function layGround(log: (line: string) => void): Promise<Ground> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'offload-bench-')));
  await chmod(folder, 0o711); // started by root, PostgreSQL runs as another user, who must enter this folder
  const postgresFolder = join(folder, 'postgres');
  const serverLog = (line: string): void => void (/PANIC|\[error\]/.test(line) && log(line));
  const starting = [
    startEmbeddedPostgres({ dataDir: postgresFolder, settings: postgresSettings, log: serverLog }),
    startEmbeddedRabbitmq({ dataDir: join(folder, 'rabbitmq'), stopGraceMs: 0, log: serverLog }),
    startRedis(join(folder, 'redis'), log).catch((error: Error) => ({ missing: error.message })),
  ] as const;

  let manager: Management | undefined;

  async function stop(): Promise<void> {
    await manager?.close();
    const started = await Promise.allSettled(starting);
    const servers = started.flatMap((server) => (server.status === 'fulfilled' ? [server.value] : []));
    await Promise.all(servers.map((server) => 'stop' in server && server.stop()));
    await removePostgres(postgresFolder);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }

  try {
    const [postgres, rabbitmq, redis] = await Promise.all(starting);
    const management = await openManagement(rabbitmq);
    manager = management;
    const [row] = await ask<{ server_version: string }>(postgres.url, 'show server_version');
    const redisVersion = 'missing' in redis ? [] : [`Redis ${redis.version}`];
    return {
      ...{ folder, amqpUrl: rabbitmq.amqpUrl, management, redis, stop },
      databaseUrl: (name) => Object.assign(new URL(postgres.url), { pathname: `/${name}` }).href,
      pids: { postgres: postgres.pid, rabbitmq: rabbitmq.pid, redis: 'missing' in redis ? NaN : redis.pid },
      versions: [`PostgreSQL ${row?.server_version}`, `RabbitMQ ${await management.version()}`, ...redisVersion],
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
