import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import {
  startChild,
  type Child,
  type ChildOptions,
  type Exit,
  type LineSink,
  freePort,
  signalGroup,
} from '@offload/child-processes';
import {
  endLeftovers,
  readRecord,
  recordOf,
  removeRecord,
  writeRecord,
  type RecordedProcess,
} from '@offload/child-processes/leftovers';
import { rabbitmqFolder } from './install-rabbitmq.ts';
import { keepPasswords, newPasswords, readPasswords } from '../kept-passwords.ts';
import { dataFolderFor, serverAccount } from '../server-account.ts';
import { writeRabbitmqConfiguration } from './rabbitmq-configuration.ts';
import { OPERATOR, ORDINARY_USER, ownDefinitions } from './rabbitmq-definitions.ts';
import { rabbitmqReady } from './rabbitmq-readiness.ts';
import type { RabbitmqSettings } from './rabbitmq-settings.ts';

/** Options of {@link startEmbeddedRabbitmq}. */
export interface EmbeddedRabbitmqOptions {
  /**
   * Folder of all data of the node. It is created if missing. A file in it, which only its owner may read, has the
   * random passwords of the node's users. That file is made if missing.
   */
  dataDir: string;
  /** @default a free one */
  amqpPort?: number;
  /** Used only with `settings.tls`. @default a free one */
  amqpsPort?: number;
  /** @default a free one */
  managementPort?: number;
  /** @default a consumer timeout of 3 hours */
  settings?: RabbitmqSettings;
  /** Milliseconds that `stop` waits before SIGKILL, which loses no confirmed message. @default 2500 */
  stopGraceMs?: number;
  /** When it fires, kills the node and makes a running start fail. @default none */
  abort?: AbortSignal;
  /** Gets the node's warnings and errors, and the lines of its installation. */
  log: LineSink;
}

/** A running RabbitMQ node. */
export interface EmbeddedRabbitmq {
  /** URL of the virtual host `/`, with the administrator `operator`; without a user if definitions were given. */
  readonly amqpUrl: string;
  /** The same with the user `offload`, who has all permissions in that virtual host only. */
  readonly ordinaryUrl: string;
  /** URL of the management page and API, without user and password. The operator's are valid there. */
  readonly managementUrl: string;
  /** The file with the passwords by user. */
  readonly passwordsFile: string;
  /** Process id of the broker. */
  readonly pid: number;
  /** Process ids of the broker and its port mapper. */
  readonly pids: readonly number[];
  /** Resolves when the broker and its helpers have ended, by `stop` or by themselves. */
  readonly exited: Promise<Exit>;
  /** Ends the broker and its helpers within `stopGraceMs` and one second. */
  stop(): Promise<void>;
  /** Runs `rabbitmqctl` and resolves with its output. Rejects when it fails. */
  control(args: readonly string[]): Promise<string>;
}

/**
 * A node before 3.13 closes everything at once when told to stop, and then waits 5 s for its management plugin
 * (rabbitmq-server#11070).
 */
const STOP_GRACE_MS = 2_500;
/** Files in the node's folder: the records of its processes, and the passwords of its users. */
const RECORD = 'processes.json';
const PASSWORDS = 'passwords.json';
const CONTROL_TIMEOUT_MS = 60_000;

/**
 * Starts a private RabbitMQ node with the management plugin on 127.0.0.1. It uses the system's package, which it
 * installs if missing (see `rabbitmqFolder`). Resolves when the node accepts connections. Confirmed persistent messages
 * survive a stop, a crash and `kill -9`. A node that an earlier run left on the same folder is ended first. Root may
 * call this: see `serverAccount` and `dataFolderFor`.
 *
 * @throws Error with the end of the node's log when it does not start within 60 s
 */
export async function startEmbeddedRabbitmq(options: EmbeddedRabbitmqOptions): Promise<EmbeddedRabbitmq> {
  const { stopGraceMs = STOP_GRACE_MS, abort, log } = options;
  const programs = await rabbitmqFolder(log, abort);
  await endLeftovers((readRecord(join(options.dataDir, RECORD)) ?? []) as RecordedProcess[]);
  const account = serverAccount('rabbitmq', join(options.dataDir, 'data'));
  const dataDir = dataFolderFor(options.dataDir, account);
  const record = join(dataDir, RECORD);
  const passwords = rabbitmqPasswords(dataDir);
  const settings = { definitions: ownDefinitions(passwords), ...options.settings };

  const amqp = options.amqpPort ?? (await freePort());
  const amqps = options.amqpsPort ?? (await freePort());
  const management = options.managementPort ?? (await freePort());
  const ports = { amqp, amqps, management, distribution: await freePort(), portMapper: await freePort() };
  const env = writeRabbitmqConfiguration(dataDir, ports, settings, account);
  writeControlScript(join(dataDir, 'rabbitmqctl'), join(programs, 'rabbitmqctl'), env);

  // Erlang's port mapper. Otherwise the broker would start one that outlives it.
  const portMapper = await startPortMapper(ports.portMapper, { env, cwd: '/', account, abort, onLine: () => {} });
  writeRecord(record, recordOf([portMapper.pid]));
  let serving = false;
  const broker = await startChild(join(programs, 'rabbitmq-server'), [], {
    env,
    cwd: join(dataDir, 'home'), // which it lists
    account,
    abort,
    onLine: (line) => isNotable(line, serving) && log(line),
  }).catch(async (error: unknown) => {
    await portMapper.stop('SIGTERM', 500);
    throw error;
  });
  const pids = [broker.pid, portMapper.pid];
  writeRecord(record, recordOf(pids));
  const exited = broker.exited.then(async (exit) => {
    signalGroup(broker.pid, 'SIGKILL'); // ends the helpers of a killed broker
    await portMapper.stop('SIGTERM', 500);
    removeRecord(record);
    return exit;
  });
  const urlOf = (user: keyof typeof passwords) =>
    `amqp://${options.settings?.definitions ? '' : `${user}:${passwords[user]}@`}127.0.0.1:${amqp}`;
  const server: EmbeddedRabbitmq = {
    amqpUrl: urlOf(OPERATOR),
    ordinaryUrl: urlOf(ORDINARY_USER),
    managementUrl: `http://127.0.0.1:${management}`,
    passwordsFile: join(options.dataDir, PASSWORDS),
    pid: broker.pid,
    pids,
    exited,
    async stop() {
      serving = false;
      await broker.stop('SIGTERM', stopGraceMs);
      await exited;
    },
    async control(args) {
      const { uid, gid } = account ?? {};
      const options = { env, uid, gid, cwd: '/', timeout: CONTROL_TIMEOUT_MS, ...(abort && { signal: abort }) };
      return (await promisify(execFile)(join(programs, 'rabbitmqctl'), args, options)).stdout;
    },
  };
  await rabbitmqReady(server, broker);
  serving = true;
  return server;
}

/** Reads the passwords of the node in `dataDir`, or makes them if there are none. */
export function rabbitmqPasswords(dataDir: string) {
  const [file, users] = [join(dataDir, PASSWORDS), [OPERATOR, ORDINARY_USER] as const];
  const kept = readPasswords(file, users);
  if (kept !== undefined) return kept;
  const made = newPasswords(users);
  keepPasswords(file, made);
  return made;
}

/**
 * Writes a program that runs `rabbitmqctl` against the node, for people: `.offload/rabbitmq/rabbitmqctl list_queues`. Only this
 * process's user may run it.
 */
function writeControlScript(file: string, program: string, env: NodeJS.ProcessEnv): void {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const variables = Object.entries(env).flatMap(([name, value]) => (value ? [`export ${name}=${quoted(value)}`] : []));
  rmSync(file, { force: true });
  writeFileSync(file, ['#!/bin/sh', ...variables, `exec ${quoted(program)} "$@"`, ''].join('\n'), { mode: 0o700 });
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

/** Whether a line belongs in the log: errors, and warnings while the node serves. Others are about deprecations. */
function isNotable(line: string, serving: boolean): boolean {
  return (serving ? /\[(?:warning|error|critical|alert|emergency)\]/ : /\[(?:error|critical|alert|emergency)\]/).test(
    line,
  );
}
