import type { Flavour } from './flavour.ts';

/** An empty PostgreSQL and an empty RabbitMQ for tests. */
export interface Servers {
  readonly flavour: Flavour;
  /** URL of the database `postgres`, with a superuser. */
  readonly databaseUrl: string;
  /** URL of the virtual host `/`, with an administrator, who may use the management API too. */
  readonly amqpUrl: string;
  /** URL of RabbitMQ's management API, without user and password. Those of `amqpUrl` are valid there. */
  readonly managementUrl: string;
  /** Ends both servers and removes their data. */
  stop(): Promise<void>;
}

/** Settings by their PostgreSQL names. */
export type PostgresSettings = Record<string, string | number>;
