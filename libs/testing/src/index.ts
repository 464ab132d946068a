export { eventually, type EventuallyOptions } from './eventually.ts';
export { freshDatabaseUrl } from './fresh-database.ts';
export { freshVhost, type FreshVhost } from './fresh-vhost.ts';
export { manage, type ManagedServer } from './manage.ts';
export { openProxy, type Direction, type Proxy } from './proxy.ts';
export { startBroker, type TestBroker, type TestBrokerOptions } from './test-broker.ts';
export { testCertificates, type TestCertificates } from './test-certificates.ts';
export { startPostgres, type PostgresStopMode, type TestPostgres, type TestPostgresOptions } from './test-postgres.ts';
export { openApiChecker, type Exchange } from './openapi-checker.ts';
