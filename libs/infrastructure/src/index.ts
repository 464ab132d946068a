export { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.ts';
export { startEmbeddedRabbitmq, type EmbeddedRabbitmq, type EmbeddedRabbitmqOptions } from './embedded-rabbitmq.ts';
export { freePort } from './ports.ts';
export { startServers, type Servers } from './servers.ts';
