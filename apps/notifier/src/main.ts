import { openDatabase } from '@offload/database';
import { allowedHosts, listen } from '@offload/http';
import { exchanges, jobEvents, jobTopology } from '@offload/job-messages';
import { connect, subscribe } from '@offload/messaging';
import { createOutbound } from '@offload/outbound';
import { createBrokerTelemetry, startProcess } from '@offload/process';
import { createApp } from './app.ts';
import { configSchema } from './config.ts';
import { createHub } from './browsers/hub.ts';
import { startWebhookDelivery } from './webhooks/deliver-webhooks.ts';
import { startRefresh } from './browsers/refresh.ts';

const { config, instance, log, metrics, shutdown } = startProcess('notifier', configSchema, 5_000);

const database = openDatabase({
  url: config.DATABASE_URL,
  poolSize: config.DATABASE_POOL_SIZE,
  onConnectionError: (error) => log.warn({ err: error }, 'lost a connection to the database'),
  onUnusable: shutdown.fail,
});
const hub = createHub(metrics, config.NOTIFIER_URL);
const outbound = createOutbound({ allowPrivateTargets: config.ALLOW_PRIVATE_TARGETS });
const webhooks = startWebhookDelivery({
  webhooks: database.webhooks,
  outbound,
  metrics,
  log,
  notifierUrl: config.NOTIFIER_URL,
  endpoints: config.WEBHOOK_ENDPOINTS,
  secrets: config.WEBHOOK_SECRETS,
  timeoutMs: config.WEBHOOK_TIMEOUT_MS,
  concurrency: config.WEBHOOK_CONCURRENCY,
  concurrencyPerHost: config.WEBHOOK_CONCURRENCY_PER_HOST,
  retrySeconds: config.WEBHOOK_RETRY_SECONDS,
});
// If RabbitMQ refuses the credentials, vhost or topology, `opened` rejects and the process exits.
const broker = connect({
  url: config.AMQP_URL,
  tls: { ca: config.AMQP_CA_FILE },
  name: instance,
  topology: jobTopology([]),
});
const refresh = startRefresh({ database, hub, log });
createBrokerTelemetry(log, metrics).observe(broker.events);
subscribe(broker, {
  exchange: exchanges.events,
  message: jobEvents,
  onMessage: ({ routingKey }) => webhooks.hear(routingKey),
  wants: ({ correlationId }) => hub.wants(correlationId),
  handle: ({ body }) => body.forEach(hub.publish),
  onListening: refresh.wake,
});

const app = createApp({
  database,
  broker,
  hub,
  metrics,
  log,
  notifierUrl: config.NOTIFIER_URL,
  maxBytesInFlight: config.MAX_BYTES_IN_FLIGHT,
  maxStreams: config.MAX_STREAMS,
  keys: config.API_KEYS,
  eventTokenSecrets: config.EVENT_TOKEN_SECRET,
  corsOrigins: config.CORS_ORIGINS,
  allowedHosts: allowedHosts(config),
});
const server = await listen(app, { host: config.HOST, port: config.NOTIFIER_PORT });
log.info({ host: config.HOST, port: server.port }, 'listening');

shutdown.step('work under way', async () => {
  const closed = server.close(config.SHUTDOWN_GRACE_MS);
  hub.close(); // browsers reconnect by themselves, to any notifier
  await Promise.all([closed, webhooks.stop(config.SHUTDOWN_GRACE_MS)]);
});
shutdown.step('outbound', outbound.close);
shutdown.step('refresh', refresh.stop);
shutdown.step('broker', broker.close);
shutdown.step('database', database.close);
