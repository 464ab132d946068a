import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { GenericContainer, getContainerRuntimeClient, getReaper, ImageName, Wait } from 'testcontainers';

import type { LineSink } from './child-process.ts';
import type { Servers } from './servers.ts';

const POSTGRES = 'postgres:17';
const RABBITMQ = 'rabbitmq:4-management';
const AMQP_PORT = 5672;
const MANAGEMENT_PORT = 15672;
const USER = 'offload';
const ENGINE_TIMEOUT_MS = 10_000;
const PULL_TIMEOUT_MS = 120_000;
const START_TIMEOUT_MS = 120_000;

export interface ContainersOptions {
  /** PostgreSQL's `max_connections` */
  maxConnections: number;
  /** gets what takes long: pulling */
  log: LineSink;
}

/**
 * Starts both servers in containers that Testcontainers removes even when this process is killed. Ports are published on
 * 127.0.0.1, unless the engine is on another machine.
 * @throws Error when no engine answers within 10 s, an image can neither be found nor pulled within 2 minutes, or a
 * server is not ready after 2 more
 */
export async function startContainers({ maxConnections, log }: ContainersOptions): Promise<Servers> {
  preferLoopback();
  const engine = await within(ENGINE_TIMEOUT_MS, 'the Docker engine did not answer', getContainerRuntimeClient());
  for (const image of [POSTGRES, RABBITMQ].map((name) => ImageName.fromString(name))) {
    if (await engine.image.exists(image)) continue;
    log(`pulling ${image.string}`);
    await within(PULL_TIMEOUT_MS, `pulling ${image.string} took too long`, engine.image.pull(image));
    if (!(await engine.image.exists(image))) throw new Error(`${image.string} could not be pulled`);
  }

  await getReaper(engine); // each of two containers that start at once would bring its own
  const starting = [startPostgres(maxConnections), startRabbitmq()] as const;
  const stop = async () => {
    const started = await Promise.allSettled(starting);
    await Promise.all(started.map((server) => server.status === 'fulfilled' && server.value.stop({ timeout: 0 })));
  };
  try {
    const [postgres, rabbitmq] = await Promise.all(starting);
    return {
      databaseUrl: `postgres://${USER}:${USER}@${postgres.getHost()}:${postgres.getPort()}/postgres`,
      amqpUrl: `amqp://${USER}:${USER}@${rabbitmq.getHost()}:${rabbitmq.getMappedPort(AMQP_PORT)}`,
      managementUrl: `http://${rabbitmq.getHost()}:${rabbitmq.getMappedPort(MANAGEMENT_PORT)}`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startPostgres(maxConnections: number) {
  return new LocalPostgres(POSTGRES)
    .withDatabase('postgres')
    .withUsername(USER)
    .withPassword(USER)
    .withCommand(['postgres', '-c', `max_connections=${maxConnections}`])
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
}

function startRabbitmq() {
  return new LocalContainer(RABBITMQ)
    .withExposedPorts(AMQP_PORT, MANAGEMENT_PORT)
    .withEnvironment({ RABBITMQ_DEFAULT_USER: USER, RABBITMQ_DEFAULT_PASS: USER })
    .withWaitStrategy(Wait.forAll([Wait.forLogMessage('Server startup complete'), Wait.forListeningPorts()]))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
}

// Testcontainers publishes on every address of the machine, and has this hook for everything it has no method for.
class LocalContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    await publishOnLoopback(this.hostConfig);
  }
}

class LocalPostgres extends PostgreSqlContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    await publishOnLoopback(this.hostConfig);
  }
}

async function publishOnLoopback(host: { PortBindings?: Record<string, { HostIp?: string }[]> }): Promise<void> {
  const engine = await getContainerRuntimeClient();
  if (engine.info.containerRuntime.host !== '127.0.0.1') return;
  for (const binding of Object.values(host.PortBindings ?? {}).flat()) binding.HostIp = '127.0.0.1';
}

/**
 * Testcontainers looks for published ports at the bridge's address when there is a /.dockerenv, as some virtual machines
 * have, and else at `localhost`, which may mean ::1. With the engine's bridge among our interfaces, or no such file, we
 * are on the engine's own machine.
 */
function preferLoopback(): void {
  const socket = process.env['DOCKER_HOST'] ?? 'unix:';
  const onThisMachine = !existsSync('/.dockerenv') || networkInterfaces()['docker0'] !== undefined;
  if (socket.startsWith('unix:') && onThisMachine) process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= '127.0.0.1';
}

async function within<T>(timeoutMs: number, message: string, work: Promise<T>): Promise<T> {
  const late = delay(timeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`${message} (${timeoutMs / 1000} s)`);
  });
  return Promise.race([work, late]);
}
