import { runServerProgram } from './server-program.ts';

/** Options of {@link startBroker}. */
export interface TestBrokerOptions {
  /**
   * RabbitMQ's `consumer_timeout`: how long a delivery may stay unacknowledged, in milliseconds. RabbitMQ enforces it
   * up to a quarter later, and for quorum queues only from 4.3 on. @default that of the run's flavour, half an hour at
   * least
   */
  consumerTimeoutMs?: number;
  /** PEM texts, as of `testCertificates()`: the broker also listens with TLS. @default no TLS */
  tls?: { ca: string; certificate: string; key: string };
  /**
   * A definitions document as RabbitMQ exports it, loaded at each start. The broker then has its users and virtual
   * hosts only. @default the virtual host `/` with one administrator
   */
  definitions?: object;
}

/** A RabbitMQ of one test file. */
export interface TestBroker {
  /** URL of the virtual host `/`, with an administrator. With definitions it has no user: add one of them. */
  readonly amqpUrl: string;
  /** The same with TLS; undefined without `tls`. */
  readonly amqpsUrl?: string;
  /** URL of the management API, without user and password. Those of `amqpUrl` are valid there. */
  readonly managementUrl: string;
  /** Ends it by SIGKILL, like a crash. Resolves when it no longer listens. See `flush`. */
  kill(): Promise<void>;
  /**
   * Writes all declarations to disk, which takes half a second. Call it between declaring a queue and `kill`, or one
   * run in twenty fails. RabbitMQ with Mnesia, the default before 4.2, confirms a queue before its last record is on
   * disk. After a kill within 2 s, the queue and its confirmed messages may be missing.
   */
  flush(): Promise<void>;
  /** Ends it in good order and closes its connections. Resolves when it no longer listens. */
  stop(): Promise<void>;
  /** Starts it again on the same ports and data. Resolves when AMQP and management answer. */
  start(): Promise<void>;
  /**
   * Ends it by SIGKILL, deletes its data, and starts it empty on the same ports, as with a new disk. It has the users
   * and virtual hosts of its first start only. Resolves as `start` does.
   */
  wipe(): Promise<void>;
  /** Runs `rabbitmqctl`, which takes half a second. Resolves with its trimmed output; rejects when it fails. */
  control(...args: string[]): Promise<string>;
  /** Ends it and deletes its data. Every other later call rejects. */
  remove(): Promise<void>;
}

// Writes Mnesia's transaction log, and Ra's table of the logs of quorum queues. With Khepri there is no such log, and
// the call does nothing.
const FLUSH = 'disk_log:sync(latest_log), [dets:sync(Table) || Table <- dets:all()].';

/**
 * Starts a RabbitMQ that the caller may kill, restart and reconfigure. TEST_SERVERS chooses its flavour; the default is
 * embedded. A start takes 5 to 10 s: share one in a file, and `remove` it at the end. The broker also ends with this
 * process.
 *
 * @throws Error with the end of RabbitMQ's log when it does not start
 */
export async function startBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { ask, end } = runServerProgram('test-broker.ts', 'broker');
  try {
    const urls = (await ask('open', options)) as Pick<TestBroker, 'amqpUrl' | 'amqpsUrl' | 'managementUrl'>;
    await ask('start');
    return {
      ...urls,
      kill: async () => void (await ask('kill')),
      stop: async () => void (await ask('stop')),
      start: async () => void (await ask('start')),
      wipe: async () => void (await ask('wipe')),
      flush: async () => void (await ask('control', 'eval', FLUSH)),
      control: async (...args) => String(await ask('control', ...args)).trim(),
      remove: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}
