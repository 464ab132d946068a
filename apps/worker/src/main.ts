import { hostname } from 'node:os';
import { ring } from '@offload/contracts';
import { openDatabase } from '@offload/database';
import {
  consume,
  createPublisher,
  declareTopology,
  openConnection,
  ringQueue,
  type Connection,
  type Consumer,
} from '@offload/messaging';
import { createOutbound } from '@offload/outbound';
import {
  answers,
  createHttpService,
  createLogger,
  createMetrics,
  handleShutdown,
  listen,
  loadConfig,
} from '@offload/runtime';
import { announceWith } from './announce.ts';
import { configSchema } from './config.ts';
import { closeHandlers, findHandler } from './handlers.ts';
import { createJobMetrics } from './job-metrics.ts';
import { createJobRunner } from './job-runner.ts';

const config = loadConfig(configSchema);
const instance = config.INSTANCE ?? `worker-${hostname()}-${process.pid}`;
const log = createLogger('worker', { level: config.LOG_LEVEL, instance });
const shutdown = handleShutdown(log, config.SHUTDOWN_GRACE_MS + 10_000);
const metrics = createMetrics();

const database = openDatabase({
  url: config.DATABASE_URL,
  poolSize: config.DATABASE_POOL_SIZE,
  onConnectionError: (error) => log.warn({ err: error }, 'lost a connection to the database'),
});
const connect = (role: string): Promise<Connection> =>
  openConnection({
    url: config.AMQP_URL,
    name: `${instance} ${role}`,
    onStateChange: (state, reason) => log.info({ reason }, `broker ${state} (${role})`),
    onRefused: (error) => shutdown.fail(error),
  });
// Two connections: a publisher that the broker blocks must not stop acknowledgements.
const publishing = await connect('publishes');
const consuming = await connect('consumes');
void declareTopology(consuming, config.QUEUES);
const publisher = createPublisher(publishing);
const outbound = createOutbound({ allowPrivateTargets: config.ALLOW_PRIVATE_TARGETS });

const runner = createJobRunner({
  database,
  announce: announceWith(publisher),
  findHandler,
  outbound,
  metrics: createJobMetrics(metrics),
  log,
});
const consumers: Consumer[] = [];
const app = createHttpService({
  log,
  metrics,
  checks: {
    database: { required: true, check: answers(() => database.ping()) },
    broker: {
      required: true,
      check() {
        if (publishing.state !== 'open') return `publishing: ${publishing.state}`;
        return consumers.length > 0 && consumers.every(({ active }) => active) ? null : 'not consuming';
      },
    },
  },
});
const server = await listen(app, { host: config.HOST, port: config.WORKER_PORT });
log.info({ queues: config.QUEUES, concurrency: config.WORKER_CONCURRENCY, port: server.port }, 'listening');

// Only now: a worker that can't even listen must not take jobs.
consumers.push(
  ...config.QUEUES.map((queue) =>
    consume(consuming, {
      queue: ringQueue(queue),
      prefetch: config.WORKER_CONCURRENCY,
      schema: ring,
      deadLetters: publisher,
      handle: runner.run,
      onFault: (error, context) => log.error({ err: error, ...context }, 'delivery failed'),
    }),
  ),
);

shutdown.step('consumers', async () => void (await Promise.all(consumers.map((consumer) => consumer.cancel()))));
shutdown.step('running jobs', () => runner.drain(config.SHUTDOWN_GRACE_MS));
shutdown.step('broker', async () => void (await Promise.all([consuming.close(), publishing.close()])));
shutdown.step('handlers', closeHandlers);
shutdown.step('outbound', () => outbound.close());
shutdown.step('database', database.close);
shutdown.step('http', server.close);
