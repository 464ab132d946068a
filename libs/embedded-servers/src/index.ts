// Starts a real PostgreSQL and a real RabbitMQ on this machine, without Docker.
export { postgresBinaries } from './postgres/postgres-binaries.ts';
export {
  removePostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './postgres/embedded-postgres.ts';
export {
  rabbitmqPasswords,
  startEmbeddedRabbitmq,
  type EmbeddedRabbitmq,
  type EmbeddedRabbitmqOptions,
} from './rabbitmq/embedded-rabbitmq.ts';
export { accepts } from './rabbitmq/rabbitmq-readiness.ts';
export { rabbitmqLog, rabbitmqTerms, type RabbitmqSettings } from './rabbitmq/rabbitmq-settings.ts';
export { removeDataFolder, serverAccount } from './server-account.ts';
