// The door @offload/spec-kit/servers: servers and a browser of one test, which the test may stop, cut off or kill.
export { openProxy, type Direction, type Proxy } from './proxy.ts';
export { startBroker, type TestBroker, type TestBrokerOptions } from './test-broker.ts';
export { testCertificates, type TestCertificates } from './test-certificates.ts';
export { startPooler, type PoolMode, type TestPooler } from './test-pooler.ts';
export { startPostgres, type PostgresStopMode, type TestPostgres, type TestPostgresOptions } from './test-postgres.ts';
export { startBrowser } from './servers/browser.ts';
export { type Servers } from './servers/server-pair.ts';
export { startServers } from './servers/servers.ts';
