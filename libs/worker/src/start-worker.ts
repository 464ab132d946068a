import { setMaxListeners } from 'node:events';
import { createRequire } from 'node:module';
import { openDatabase } from '@offload/database';
import { allowedHosts, answers, createHttpService, listen } from '@offload/http';
import { publishEventsWith, control, exchanges, jobTopology, dispatch, dispatchQueue } from '@offload/job-messages';
import { connect, type Connection, consume, type Consumer, createPublisher, subscribe } from '@offload/messaging';
import { createOutbound } from '@offload/outbound';
import { createBrokerTelemetry, keepHeapSmall, setTimer, startProcess } from '@offload/process';
import { configSchema } from './config.ts';
import { consumerTimeoutFault } from './consumer-timeout.ts';
import { createHeldJobs } from './held-jobs.ts';
import { createJobBoard } from './job-board.ts';
import { createJobMetrics } from './job-metrics.ts';
import { answerLivenessCheck, obey } from './obey.ts';
import { createPutBacks } from './put-backs.ts';
import { runJob, type RunJobParts } from './run-job.ts';
import { watchLoop } from './watch-loop.ts';
import { register } from './registration.ts';
import { byType, type RunnableType } from './runnable-type.ts';
import { watchQueues } from './watch-queues.ts';

export interface WorkerOptions {
  /** The job types of this worker: see `handle`. */
  handlers: readonly RunnableType[];
  /** Frees what handlers keep between jobs, such as threads. @default nothing */
  close?: () => Promise<void>;
}

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };

/**
 * Makes this process a worker. It reads its configuration from the environment, registers its job types, consumes the
 * queues, and runs jobs until it gets SIGTERM or SIGINT. It exits if the configuration is wrong, if a server refuses
 * it, or if a job type is registered with other schemas.
 */
export async function startWorker({ handlers, close = async () => undefined }: WorkerOptions): Promise<void> {
  const types = byType(handlers);
  const definitions = handlers.map(({ definition }) => definition);
  keepHeapSmall(33); // with more the worker is no faster
  const { config, instance, log, metrics, shutdown } = startProcess('worker', configSchema, 10_000);

  const database = openDatabase({
    url: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_SIZE,
    lockTimeoutMs: 1_000, // jobs in one statement wait so long for a row that another program has locked
    onConnectionError: (error) => log.warn({ err: error }, 'lost a connection to the database'),
    onUnusable: shutdown.fail,
  });
  const telemetry = createBrokerTelemetry(log, metrics);
  // If RabbitMQ refuses the credentials, vhost or topology, `opened` rejects and the process exits.
  function connectTo(role: string): Connection {
    const topology = jobTopology(config.QUEUES);
    const connection = connect({
      url: config.AMQP_URL,
      tls: { ca: config.AMQP_CA_FILE },
      name: `${instance} ${role}`,
      topology,
    });
    telemetry.observe(connection.events, role);
    return connection;
  }
  // Two connections: a publisher that the broker blocks must not stop acknowledgements.
  const publishing = connectTo('publishes');
  const consuming = connectTo('consumes');
  consuming.events.on('channelLost', (reason) => {
    const fault = consumerTimeoutFault(reason);
    if (fault !== null) log.warn(fault);
  });
  const publisher = createPublisher(publishing, { whileAway: 'fail' });
  const outbound = createOutbound({ allowPrivateTargets: config.ALLOW_PRIVATE_TARGETS });

  const stopping = new AbortController();
  const letGo = new AbortController();
  setMaxListeners(0, stopping.signal); // each job that waits for the database may add a listener
  // Twice as many places: a job whose delivery was lost may still run when the next job has its place in the prefetch.
  const board = createJobBoard(2 * config.WORKER_CONCURRENCY * config.QUEUES.length);
  const heldJobs = createHeldJobs(letGo.signal, board);
  const parts: RunJobParts = {
    database,
    holder: instance,
    heldJobs,
    putBacks: createPutBacks(log),
    publishEvent: publishEventsWith(publisher),
    findHandler: (type) => types.get(type),
    outbound,
    metrics: createJobMetrics(metrics),
    log,
    stopping: stopping.signal,
  };
  const consumers = new Map<string, Consumer>(); // by queue
  let queueFaults = (): string[] => [];
  const app = createHttpService({
    log,
    metrics,
    allowedHosts: allowedHosts(config),
    checks: {
      database: { required: true, check: answers(() => database.ping()) },
      broker: {
        required: true,
        check() {
          if (publishing.state !== 'open') return `publishing: ${publishing.state}`;
          const faults = queueFaults();
          if (faults.length > 0) return faults;
          return consumers.size > 0 && [...consumers.values()].every(({ active }) => active) ? null : 'not consuming';
        },
      },
    },
  });
  const server = await listen(app, { host: config.HOST, port: config.WORKER_PORT });
  const elsewhere = definitions.filter(({ policy }) => !config.QUEUES.includes(policy.queue));
  if (elsewhere.length > 0) {
    log.info({ types: elsewhere.map(({ type }) => type) }, 'job types whose own queue is not in QUEUES');
  }
  log.info({ queues: config.QUEUES, concurrency: config.WORKER_CONCURRENCY, port: server.port }, 'listening');

  watchLoop({
    board,
    blockedMs: config.LOOP_BLOCKED_MS,
    databaseUrl: config.DATABASE_URL,
    logLevel: config.LOG_LEVEL,
    instance,
    log,
  });

  // Before the worker is ready: apis must know the types of each ready worker.
  const registration = await register({
    // A publisher of its own, which waits: the connection may not be open yet.
    publisher: createPublisher(publishing),
    ...{ database, definitions, log, fail: shutdown.fail, onDrain: () => void drain() },
    replaceSchemas: config.REPLACE_SCHEMAS,
    worker: { instance, version, queues: config.QUEUES, slots: config.WORKER_CONCURRENCY },
  });
  // Only now: a worker that cannot listen on its port must not claim jobs.
  for (const queue of config.QUEUES) {
    const consumer = consume(consuming, {
      queue: dispatchQueue(queue),
      message: dispatch,
      prefetch: config.WORKER_CONCURRENCY,
      handle: (delivery) => runJob(delivery, parts),
      deadLetters: { publisher, exchange: exchanges.dead },
    });
    consumers.set(queue, consumer);
  }
  const asking = connect({ url: config.AMQP_URL, tls: { ca: config.AMQP_CA_FILE }, name: `${instance} asks` });
  asking.events.on('state', () => undefined).on('channelLost', () => undefined); // the other connections log faults
  queueFaults = watchQueues({ connection: asking, consumers, log }).faults;
  subscribe(consuming, {
    exchange: exchanges.control,
    message: control,
    handle: ({ body }) => obey(body, { ...parts, drain: () => void drain() }),
    onListening: () => void answerLivenessCheck(parts), // what we have not heard before is in the database
  });

  /** Takes no new jobs. Resolves when those that are here are settled. */
  async function takeNoMore(): Promise<void> {
    stopping.abort(new Error('the worker is stopping'));
    registration.drain();
    await Promise.all([...consumers.values()].map((consumer) => consumer.drain()));
  }
  /** Other than at SIGTERM, jobs that run have all the time they need. */
  async function drain(): Promise<void> {
    if (stopping.signal.aborted) return;
    log.info('draining');
    await takeNoMore();
    shutdown.stop('drained');
  }
  shutdown.step('jobs', async () => {
    const patience = setTimer(() => letGo.abort(new Error('the worker is stopping')), config.SHUTDOWN_GRACE_MS);
    await takeNoMore();
    clearTimeout(patience);
  });
  shutdown.step(
    'broker',
    async () => void (await Promise.all([consuming.close(), publishing.close(), asking.close()])),
  );
  shutdown.step('handlers', close);
  shutdown.step('outbound', () => outbound.close());
  shutdown.step('registration', registration.leave);
  shutdown.step('database', database.close);
  shutdown.step('http', () => server.close(1_000));
}
