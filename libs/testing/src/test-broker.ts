import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

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
  /** runs `rabbitmqctl` (half a second) and resolves to what it prints, trimmed; rejects when it fails */
  control(...args: string[]): Promise<string>;
  /** ends it and deletes its data; every later call but this one is refused */
  remove(): Promise<void>;
}

const ROOT = join(import.meta.dirname, '../../..');
// By its path, not as a dependency: it runs in a process of its own, whose broker goes when this process has gone.
const PROGRAM = join(ROOT, 'libs/infrastructure/src/for-tests/test-broker.ts');
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
  const { ask, end } = runProgram();
  try {
    const urls = (await ask('open', options)) as Pick<TestBroker, 'amqpUrl' | 'amqpsUrl' | 'managementUrl'>;
    await ask('start');
    return {
      ...urls,
      kill: async () => void (await ask('kill')),
      stop: async () => void (await ask('stop')),
      start: async () => void (await ask('start')),
      flush: async () => void (await ask('control', 'eval', FLUSH)),
      control: async (...args) => String(await ask('control', ...args)).trim(),
      remove: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Requests and answers are lines of JSON, see the program. */
function runProgram() {
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@offload/source', PROGRAM], {
    cwd: ROOT,
    env: { ...process.env, NODE_OPTIONS: '' }, // Jest's options for ESM would make it warn
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true, // Ctrl-C reaches Jest, and this one through its standard input
  });
  const exited = once(child, 'exit');
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let messages = '';
  child.stderr.on('data', (chunk) => (messages = `${messages}${chunk}`.slice(-4_000)));
  child.stdin.on('error', () => undefined); // it has ended: there is no answer either
  // Nobody removed the broker: it is not to keep the process from ending, which removes it.
  for (const handle of [child, child.stdin, child.stdout, child.stderr]) (handle as Socket).unref();

  return {
    async ask(...request: unknown[]): Promise<unknown> {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      child.ref();
      const line = await answers.next().finally(() => child.unref());
      if (line.done) throw new Error(`There is no broker any more. ${messages}`);
      const { value, error } = JSON.parse(line.value) as { value?: unknown; error?: string };
      if (error !== undefined) throw new Error(error);
      return value;
    },
    async end(): Promise<void> {
      child.ref();
      child.stdin.end();
      await exited;
    },
  };
}
