import { randomUUID } from 'node:crypto';
import { manage } from '@offload/spec-kit';
import { startBroker, startPostgres, type TestBroker, type TestPostgres } from '@offload/spec-kit/servers';
import { openLedger, type Ledger } from './ledger.ts';
import { openRuns, type Runs } from './runs.ts';
import { databaseUrl, sql } from '@offload/running-system';

/** The servers for faults, and those that no fault touches. */
export interface Ground {
  readonly broker: TestBroker;
  readonly postgres: TestPostgres;
  readonly runs: Runs;
  readonly ledger: Ledger;
  /** Starts both servers without data of the last scenario. @returns the URL of a database that migrations create */
  prepare(): Promise<string>;
  /** Such as `RabbitMQ 3.10.8` and `PostgreSQL 18.4`. */
  versions(): Promise<string[]>;
  close(): Promise<void>;
}

/** Connections for the pools of all processes and of their successors. */
const MAX_CONNECTIONS = 300;

/** Starts the servers. */
export async function layGround(): Promise<Ground> {
  const safe = await startPostgres({ settings: { max_connections: 10, fsync: 'off' } }); // it ends with this process
  const runs = await openRuns(safe.url);
  const ledger = await openLedger(runs);
  const [broker, postgres] = await Promise.all([
    startBroker(),
    startPostgres({ settings: { max_connections: MAX_CONNECTIONS } }),
  ]);

  async function removeQueues(): Promise<void> {
    const queues = (await manage('GET', '/api/queues/%2F', undefined, broker)) as { name: string }[];
    for (const { name } of queues) await manage('DELETE', `/api/queues/%2F/${name}`, undefined, broker);
  }

  return {
    broker,
    postgres,
    runs,
    ledger,
    async prepare() {
      await Promise.all([broker.start(), postgres.start()]);
      await removeQueues();
      return databaseUrl(postgres.url, `faults_${randomUUID().replaceAll('-', '')}`);
    },
    async versions() {
      const { rabbitmq_version: rabbitmq } = (await manage('GET', '/api/overview', undefined, broker)) as {
        rabbitmq_version: string;
      };
      const [row] = await sql<{ server_version: string }>(postgres.url, 'show server_version');
      return [`PostgreSQL ${row?.server_version}`, `RabbitMQ ${rabbitmq}`];
    },
    async close() {
      ledger.close();
      await runs.close();
      await Promise.all([broker.remove(), postgres.remove(), safe.remove()]);
    },
  };
}
