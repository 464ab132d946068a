import { hostname } from 'node:os';
import { openDatabase } from '@offload/database';
import { connect, createPublisher, inspectQueues, jobTopology } from '@offload/messaging';
import {
  createBrokerTelemetry,
  createLogger,
  createMetrics,
  handleShutdown,
  listen,
  loadConfig,
} from '@offload/runtime';
import { createApp } from './app.ts';
import { createBell } from './bell.ts';
import { configSchema } from './config.ts';
import { startReconcile } from './reconcile.ts';
import { startRelay } from './relay.ts';
import { startRetention } from './retention.ts';

const config = loadConfig(configSchema);
const instance = config.INSTANCE ?? `api-${hostname()}-${process.pid}`;
const log = createLogger('api', { level: config.LOG_LEVEL, instance });
const shutdown = handleShutdown(log, config.SHUTDOWN_GRACE_MS + 5_000);
const metrics = createMetrics();

const database = openDatabase({
  url: config.DATABASE_URL,
  poolSize: config.DATABASE_POOL_SIZE,
  onConnectionError: (error) => log.warn({ err: error }, 'lost a connection to the database'),
});
// Refused for good, its `opened` rejects, and that ends the process as any rejection that nobody handles.
const broker = connect({
  url: config.AMQP_URL,
  tls: { ca: config.AMQP_CA_FILE },
  name: instance,
  topology: jobTopology(config.QUEUES),
});
createBrokerTelemetry(log, metrics).observe(broker.events);
// What can't be sent at once stays owed in the outbox.
const bell = createBell({ database, publisher: createPublisher(broker, { whileAway: 'fail' }), metrics, log });
const relay = startRelay({ database, bell, broker, log });
const reconcile = startReconcile({
  database,
  inspector: inspectQueues(broker),
  bell,
  relay,
  broker,
  queues: config.QUEUES,
  everyMs: config.RECONCILE_MS,
  metrics,
  log,
});
const retention = config.RETENTION_DAYS > 0 ? startRetention({ database, days: config.RETENTION_DAYS, log }) : null;
broker.events.on('state', (state) => state === 'open' && relay.wake());

const app = createApp({
  database,
  broker,
  bell,
  relay,
  metrics,
  log,
  queues: config.QUEUES,
  notifierUrl: config.NOTIFIER_URL,
});
const server = await listen(app, { host: config.HOST, port: config.API_PORT });
log.info({ host: config.HOST, port: server.port }, 'listening');

shutdown.step('http', () => server.close(config.SHUTDOWN_GRACE_MS));
shutdown.step('loops', async () => void (await Promise.all([relay.stop(), reconcile.stop(), retention?.stop()])));
shutdown.step('broker', broker.close);
shutdown.step('database', database.close);
