export {
  removePostgres,
  startEmbeddedPostgres,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
} from './postgres/embedded-postgres.ts';
export {
  startEmbeddedRabbitmq,
  type EmbeddedRabbitmq,
  type EmbeddedRabbitmqOptions,
} from './rabbitmq/embedded-rabbitmq.ts';
export { removeDataFolder } from './processes/server-account.ts';
export { installPackage } from './processes/apt-package.ts';
export { isExecutable } from './processes/is-executable.ts';
export { freePort } from './processes/ports.ts';
export { startBrowser } from './for-tests/browser.ts';
export { startServers, type Servers } from './for-tests/servers.ts';
