import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { LineSink } from '@offload/child-processes';
import { removePostgres, startEmbeddedPostgres, startEmbeddedRabbitmq } from '@offload/embedded-servers';
import { wantedFlavour } from './flavour.ts';
import type { PostgresSettings, Servers } from './server-pair.ts';

/** Options of {@link startServers}. */
export interface ServersOptions {
  /**
   * Whether PostgreSQL waits until committed data are on the disk. Without it, a killed process loses nothing, but a
   * power failure does. Use false where nothing is measured. @default true
   */
  fsync?: boolean;
}

/** Connections for the pools of all processes that a test run starts at once. */
const MAX_CONNECTIONS = 500;

/**
 * Starts a PostgreSQL and a RabbitMQ for tests. They run in containers if a Docker engine answers and has the images or
 * can pull them, and otherwise embedded in a temporary folder. The environment variable TEST_SERVERS forces
 * `containers` or `embedded`.
 *
 * @throws Error when TEST_SERVERS has another value, or a server does not start
 */
export async function startServers(log: LineSink, { fsync = true }: ServersOptions = {}): Promise<Servers> {
  const wanted = wantedFlavour();
  const settings = { max_connections: MAX_CONNECTIONS, fsync: fsync ? 'on' : 'off' };
  if (wanted === 'embedded') return startEmbedded(settings, log);
  try {
    const { startContainers } = await import('./containers.ts'); // loading takes a second of CPU, so only if needed
    return await startContainers({ settings, log });
  } catch (error) {
    if (wanted === 'containers') throw error;
    log(`no containers (${error instanceof Error ? error.message : String(error)}): embedded servers instead`);
    return startEmbedded(settings, log);
  }
}

async function startEmbedded(settings: PostgresSettings, log: LineSink): Promise<Servers> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'offload-test-')));
  await chmod(folder, 0o711); // started by root, PostgreSQL runs as another user, who must enter this folder
  const postgresFolder = join(folder, 'postgres');
  const starting = [
    startEmbeddedPostgres({ dataDir: postgresFolder, settings, log }),
    startEmbeddedRabbitmq({ dataDir: join(folder, 'rabbitmq'), stopGraceMs: 0, log }),
  ] as const;
  const stop = async () => {
    const started = await Promise.allSettled(starting);
    await Promise.all(started.map((server) => server.status === 'fulfilled' && server.value.stop()));
    await removePostgres(postgresFolder);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const [postgres, rabbitmq] = await Promise.all(starting);
    const { amqpUrl, managementUrl } = rabbitmq;
    return { flavour: 'embedded', databaseUrl: postgres.url, amqpUrl, managementUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
