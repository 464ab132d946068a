import { openDatabase } from '@offload/database';
import { allowedHosts, listen } from '@offload/http';
import { exchanges, jobEvents, jobTopology, registration } from '@offload/job-messages';
import { endings } from '@offload/jobs/events';
import { connect, createPublisher, subscribe } from '@offload/messaging';
import { inspectQueues } from '@offload/messaging/queues';
import { createBrokerTelemetry, keepHeapSmall, startProcess } from '@offload/process';
import { createApp } from './app.ts';
import { startBacklog } from './loops/backlog.ts';
import { createDispatcher } from './dispatcher.ts';
import { configSchema } from './config.ts';
import { createJobTypes } from './job-types/job-types.ts';
import { startReconcile } from './loops/reconcile.ts';
import { startRelay } from './loops/relay.ts';
import { createDispatchPublishers } from './dispatch-publishers.ts';
import { startRetention } from './loops/retention.ts';
import { obeysPriorities, tellUnserved, unknownBounds } from './unserved.ts';
import { createWaiters } from './waiting/waiters.ts';

keepHeapSmall(100); // with less the api is slower
const { config, instance, log, metrics, shutdown } = startProcess('api', configSchema, 5_000);
for (const fault of unknownBounds(config.QUEUES, config.MAX_BACKLOG.queues)) log.warn(fault);

const database = openDatabase({
  url: config.DATABASE_URL,
  poolSize: config.DATABASE_POOL_SIZE,
  lockTimeoutMs: 2_000, // statements that wait for another program's lock must not use up the connections
  onConnectionError: (error) => log.warn({ err: error }, 'lost a connection to the database'),
  onUnusable: shutdown.fail,
});
const broker = connect({
  url: config.AMQP_URL,
  tls: { ca: config.AMQP_CA_FILE },
  name: instance,
  topology: jobTopology(config.QUEUES),
});
createBrokerTelemetry(log, metrics).observe(broker.events);
const publisher = createPublisher(broker, { whileAway: 'fail' });
const dispatcher = createDispatcher({
  database,
  publisher,
  dispatchPublisher: createDispatchPublishers(broker, config.QUEUES),
  endPublisher: createPublisher(broker),
  metrics,
  log,
});
const relay = startRelay({ database, dispatcher, broker, log });
const inspector = inspectQueues(broker);
const reconcile = startReconcile({
  database,
  inspector,
  dispatcher,
  relay,
  broker,
  queues: config.QUEUES,
  everyMs: config.RECONCILE_MS,
  metrics,
  log,
});
const retention = startRetention({ database, days: config.RETENTION_DAYS, log });
const types = createJobTypes({ database, onRead: tellUnserved(config.QUEUES, (fault) => log.warn(fault)), log });
const backlog = startBacklog({ database, queues: config.QUEUES, metrics, log });
const waiters = createWaiters({ database, maxWaiters: config.MAX_WAITERS, metrics, log });
subscribe(broker, {
  exchange: exchanges.eventsByName,
  routingKeys: endings,
  message: jobEvents,
  wants: ({ correlationId }) => waiters.wants(correlationId),
  handle: ({ body }) => body.forEach(waiters.hear),
  onListening: () => void waiters.refresh(), // events may have been missed before
});
subscribe(broker, {
  exchange: exchanges.registrations,
  message: registration,
  handle: types.wake,
  onListening: types.wake, // registrations may have been missed before
});
broker.events.on('state', (state) => state === 'open' && relay.wake());
broker.opened.then(() => {
  const { brokerVersion } = broker;
  if (obeysPriorities(brokerVersion) === false)
    log.warn({ brokerVersion }, 'priorities of jobs are ignored: RabbitMQ has them from 4.0 on');
}, shutdown.fail); // RabbitMQ has refused the login, the virtual host or the topology

const app = createApp({
  database,
  broker,
  publisher,
  inspector,
  dispatcher,
  relay,
  waiters,
  types,
  backlog,
  maxBacklog: config.MAX_BACKLOG,
  metrics,
  log,
  keys: config.API_KEYS,
  eventTokenSecrets: config.EVENT_TOKEN_SECRET,
  corsOrigins: config.CORS_ORIGINS,
  allowedHosts: allowedHosts(config),
  ownWebhooks: config.WEBHOOK_SECRETS.length > 0,
  maxBytesInFlight: config.MAX_BYTES_IN_FLIGHT,
  rateLimit: config.RATE_LIMIT,
  queues: config.QUEUES,
  replaceSchemas: config.REPLACE_SCHEMAS,
  notifierUrl: config.NOTIFIER_URL,
});
const server = await listen(app, {
  host: config.HOST,
  port: config.API_PORT,
  requestTimeoutMs: config.REQUEST_TIMEOUT_MS,
});
log.info({ host: config.HOST, port: server.port }, 'listening');

shutdown.step('http', () => {
  waiters.close(); // answers held requests with the job's present state
  return server.close(config.SHUTDOWN_GRACE_MS);
});
shutdown.step('loops', async () => {
  await Promise.all([relay, reconcile, retention, types, backlog].map((loop) => loop.stop()));
});
shutdown.step('dispatch messages and events', dispatcher.quiet);
shutdown.step('broker', broker.close);
shutdown.step('database', database.close);
