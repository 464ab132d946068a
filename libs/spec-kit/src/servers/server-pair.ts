import type { Flavour } from './flavour.ts';

/** A PostgreSQL and a RabbitMQ that hold nothing yet, for tests. */
export interface Servers {
  readonly flavour: Flavour;
  /** of the database `postgres`; the user is a superuser */
  readonly databaseUrl: string;
  /** of the virtual host `/`; the user is an administrator, of the management API too */
  readonly amqpUrl: string;
  /** of RabbitMQ's management API, without user and password (the same as in `amqpUrl`) */
  readonly managementUrl: string;
  /** ends both and removes what they stored */
  stop(): Promise<void>;
}

/** By name, as PostgreSQL has them. */
export type PostgresSettings = Record<string, string | number>;
