import { hostname } from 'node:os';
import { jobEvent } from '@offload/contracts';
import { openDatabase } from '@offload/database';
import { connect, exchanges, jobTopology, subscribe } from '@offload/messaging';
import {
  createBrokerTelemetry,
  createLogger,
  createMetrics,
  handleShutdown,
  listen,
  loadConfig,
} from '@offload/runtime';
import { createApp } from './app.ts';
import { configSchema } from './config.ts';
import { createHub } from './browsers/hub.ts';
import { refreshWatched } from './browsers/refresh.ts';

const config = loadConfig(configSchema);
const instance = config.INSTANCE ?? `notifier-${hostname()}-${process.pid}`;
const log = createLogger('notifier', { level: config.LOG_LEVEL, instance });
const shutdown = handleShutdown(log, config.SHUTDOWN_GRACE_MS + 5_000);
const metrics = createMetrics();

const database = openDatabase({
  url: config.DATABASE_URL,
  poolSize: config.DATABASE_POOL_SIZE,
  onConnectionError: (error) => log.warn({ err: error }, 'lost a connection to the database'),
});
const hub = createHub(metrics, config.NOTIFIER_URL);
// Refused for good, its `opened` rejects, and that ends the process as any rejection that nobody handles.
const broker = connect({
  url: config.AMQP_URL,
  tls: { ca: config.AMQP_CA_FILE },
  name: instance,
  topology: jobTopology([]),
});
createBrokerTelemetry(log, metrics).observe(broker.events);
subscribe(broker, {
  exchange: exchanges.events,
  message: jobEvent,
  wants: ({ correlationId }) => correlationId === undefined || hub.wants(correlationId),
  handle: ({ body }) => hub.publish(body),
  onListening: () => void refreshWatched({ database, hub, log }),
});

const app = createApp({
  database,
  broker,
  hub,
  metrics,
  log,
  notifierUrl: config.NOTIFIER_URL,
  keys: config.API_KEYS,
});
const server = await listen(app, { host: config.HOST, port: config.NOTIFIER_PORT });
log.info({ host: config.HOST, port: server.port }, 'listening');

shutdown.step('http', () => {
  const closed = server.close(config.SHUTDOWN_GRACE_MS);
  hub.close(); // browsers come back by themselves, to whichever notifier is there
  return closed;
});
shutdown.step('broker', broker.close);
shutdown.step('database', database.close);
