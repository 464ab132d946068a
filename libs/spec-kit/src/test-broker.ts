import { runServerProgram } from './server-program.ts';

export interface TestBrokerOptions {
  /**
   * RabbitMQ's `consumer_timeout`: what a delivery may stay unacknowledged, ms. Enforced up to a quarter of it later, and
   * for quorum queues only from RabbitMQ 4.3 on. @default that of the run's flavour, half an hour at least
   */
  consumerTimeoutMs?: number;
  /** PEM texts, as of `testCertificates()`: the broker also listens with TLS @default it does not */
  tls?: { ca: string; certificate: string; key: string };
  /**
   * A definitions document as RabbitMQ exports it, loaded at each start: there are only its users and virtual hosts then.
   * @default the virtual host `/` with one administrator
   */
  definitions?: object;
}

/** A RabbitMQ of a test file's own. */
export interface TestBroker {
  /** of the virtual host `/`; the user is an administrator. With definitions there is no user in it: put one of yours. */
  readonly amqpUrl: string;
  /** the same with TLS; undefined without `tls` */
  readonly amqpsUrl?: string;
  /** of the management API, without user and password (they are those of `amqpUrl`) */
  readonly managementUrl: string;
  /** ends it as a crash would (SIGKILL); resolves when it no longer listens. See `flush`. */
  kill(): Promise<void>;
  /**
   * Has what was declared written to disk (half a second). RabbitMQ with Mnesia, the default before 4.2, confirms a queue
   * before the last record of it is there: when killed within 2 s it may come back without the queue, and without the
   * confirmed messages in it. Call it between declaring and `kill`, or one run in twenty fails.
   */
  flush(): Promise<void>;
  /** ends it in good order: clients are told; resolves when it no longer listens */
  stop(): Promise<void>;
  /** starts it again on the same ports and data; resolves when AMQP and management answer */
  start(): Promise<void>;
  /**
   * Ends it by SIGKILL, deletes what it has stored, and starts it empty on the same ports, as when its disk is replaced:
   * there are only the users and virtual hosts of its first start. Resolves as `start` does.
   */
  wipe(): Promise<void>;
  /** runs `rabbitmqctl` (half a second) and resolves to what it prints, trimmed; rejects when it fails */
  control(...args: string[]): Promise<string>;
  /** ends it and deletes its data; every later call but this one is refused */
  remove(): Promise<void>;
}

// Mnesia's transaction log, and Ra's table of which log belongs to which quorum queue. (With Khepri there is no such log,
// which is no error.)
const FLUSH = 'disk_log:sync(latest_log), [dets:sync(Table) || Table <- dets:all()].';

/**
 * Starts a RabbitMQ that the caller may kill, restart and reconfigure, in the flavour of the run's servers (TEST_SERVERS;
 * embedded when that is not set). Takes 5 to 10 s: share one within a file, and `remove` it in the end. It goes, too,
 * when this process ends, however that is.
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
