import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { describeExit, startChild, type Child, type ChildOptions, type Exit, type LineSink } from './child-process.ts';
import { rabbitmqFolder } from './install-rabbitmq.ts';
import { endLeftovers, readRecord, recordOf, removeRecord, writeRecord, type RecordedProcess } from './leftovers.ts';
import { freePort } from './ports.ts';
import { RABBITMQ_USER as USER, writeRabbitmqConfiguration } from './rabbitmq-configuration.ts';
import { signalGroup } from './process-identity.ts';

export interface EmbeddedRabbitmqOptions {
  /** folder of everything that the node keeps; created when it is not there */
  dataDir: string;
  /** @default a free one */
  amqpPort?: number;
  /** @default a free one */
  managementPort?: number;
  /** how long `stop` waits before SIGKILL, which costs no confirmed message @default 2500 */
  stopGraceMs?: number;
  /** while it is starting, kills it and makes the start fail @default it is not given up */
  abort?: AbortSignal;
  /** gets the node's warnings and errors, and what installing it says */
  log: LineSink;
}

/** A running RabbitMQ node. */
export interface EmbeddedRabbitmq {
  /** of the virtual host `/`, with user and password `offload` (an administrator) */
  readonly amqpUrl: string;
  /** of the management page and API, without user and password (the same ones) */
  readonly managementUrl: string;
  /** of the broker itself */
  readonly pid: number;
  /** of all its processes: the broker and its port mapper */
  readonly pids: readonly number[];
  /** resolves once the broker has ended, asked or not, and nothing of it is left */
  readonly exited: Promise<Exit>;
  /** ends it and everything it started within `stopGraceMs` and a second */
  stop(): Promise<void>;
}

const READY_TIMEOUT_MS = 60_000;
/**
 * A node before 3.13 closes everything at once when told to stop, and then waits 5 s for its management plugin
 * (rabbitmq-server#11070).
 */
const STOP_GRACE_MS = 2_500;

/**
 * Starts a private RabbitMQ node with the management plugin on 127.0.0.1 out of the system's package, installing that
 * when it is missing (see `rabbitmqFolder`). Resolves when it accepts connections. Confirmed persistent messages survive
 * a stop, a crash and `kill -9`. A node that an earlier run left on the same folder is ended first.
 * @throws Error with the end of the node's log when it does not start within 60 s
 */
export async function startEmbeddedRabbitmq(options: EmbeddedRabbitmqOptions): Promise<EmbeddedRabbitmq> {
  const { dataDir, stopGraceMs = STOP_GRACE_MS, abort, log } = options;
  const programs = await rabbitmqFolder(log, abort);
  const record = join(dataDir, 'processes.json');
  await endLeftovers((readRecord(record) ?? []) as RecordedProcess[]);

  const amqp = options.amqpPort ?? (await freePort());
  const management = options.managementPort ?? (await freePort());
  const ports = { amqp, management, distribution: await freePort(), portMapper: await freePort() };
  const env = writeRabbitmqConfiguration(dataDir, ports);

  // Erlang's port mapper: the broker would start one that outlives it, so it finds ours instead.
  const portMapper = await startPortMapper(ports.portMapper, { env, cwd: '/', abort, onLine: () => {} });
  writeRecord(record, recordOf([portMapper.pid]));
  let serving = false;
  const broker = await startChild(join(programs, 'rabbitmq-server'), [], {
    env,
    cwd: dataDir,
    abort,
    onLine: (line) => isNotable(line, serving) && log(line),
  }).catch(async (error: unknown) => {
    await portMapper.stop('SIGTERM', 500);
    throw error;
  });
  const pids = [broker.pid, portMapper.pid];
  writeRecord(record, recordOf(pids));
  const exited = broker.exited.then(async (exit) => {
    signalGroup(broker.pid, 'SIGKILL'); // what a killed broker leaves of its helpers
    await portMapper.stop('SIGTERM', 500);
    removeRecord(record);
    return exit;
  });
  const server: EmbeddedRabbitmq = {
    amqpUrl: `amqp://${USER}:${USER}@127.0.0.1:${amqp}`,
    managementUrl: `http://127.0.0.1:${management}`,
    pid: broker.pid,
    pids,
    exited,
    async stop() {
      serving = false;
      await broker.stop('SIGTERM', stopGraceMs);
      await exited;
    },
  };
  await readiness(server, broker, amqp);
  serving = true;
  return server;
}

async function startPortMapper(port: number, options: ChildOptions): Promise<Child> {
  try {
    return await startChild('epmd', ['-port', String(port), '-address', '127.0.0.1'], options);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    const message = "RabbitMQ is installed, but Erlang's epmd is not on the PATH: add Erlang's bin folder to it.";
    throw new Error(message, { cause });
  }
}

async function readiness(server: EmbeddedRabbitmq, broker: Child, amqpPort: number): Promise<void> {
  let ended: Exit | undefined;
  void server.exited.then((exit) => (ended = exit));
  const until = Date.now() + READY_TIMEOUT_MS;
  while (!((await accepts(amqpPort)) && (await managementAnswers(server.managementUrl)))) {
    if (ended === undefined && Date.now() < until) {
      await delay(50);
      continue;
    }
    if (ended === undefined) await server.stop();
    const how = ended === undefined ? `not ready within ${READY_TIMEOUT_MS / 1000} s` : describeExit(ended);
    throw new Error(`RabbitMQ did not start (${how}). The end of its log:\n${broker.tail()}`);
  }
}

/** Whether the broker listens, which it does last of all. It logs nothing about a client that leaves without a word. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });
}

async function managementAnswers(url: string): Promise<boolean> {
  try {
    const authorization = `Basic ${Buffer.from(`${USER}:${USER}`).toString('base64')}`;
    const options = { headers: { authorization }, signal: AbortSignal.timeout(1_000) };
    const response = await fetch(`${url}/api/whoami`, options);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false; // not listening yet
  }
}

/** Errors, and while it serves warnings: those of its start and end are about deprecations and the like. */
function isNotable(line: string, serving: boolean): boolean {
  return (serving ? /\[(?:warning|error|critical|alert|emergency)\]/ : /\[(?:error|critical|alert|emergency)\]/).test(
    line,
  );
}
