import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { GenericContainer, getContainerRuntimeClient, getReaper, ImageName } from 'testcontainers';

import type { LineSink } from '@offload/child-processes';

export const POSTGRES_IMAGE = 'postgres:17';
/** Of both servers' administrators. */
export const USER = 'offload';
/** Other users of this machine reach the published ports, too. */
export const PASSWORD = randomBytes(24).toString('hex');
export const RABBITMQ_IMAGE = 'rabbitmq:4-management';
/** The ports that a RabbitMQ listens on in its container. */
export const RABBITMQ_PORTS = { amqp: 5672, amqps: 5671, management: 15672 };
/** For a container to start and be ready. */
export const START_TIMEOUT_MS = 120_000;

const ENGINE_TIMEOUT_MS = 10_000;
const PULL_TIMEOUT_MS = 120_000;

export type ContainerEngine = Awaited<ReturnType<typeof getContainerRuntimeClient>>;

/**
 * The Docker engine, with `images` in it and with Testcontainers' reaper, which removes the containers of this process
 * even when it is killed.
 * @param log gets what takes long: pulling
 * @throws Error when no engine answers within 10 s, or an image can neither be found nor pulled within 2 minutes
 */
export async function containerEngine(images: readonly string[], log: LineSink): Promise<ContainerEngine> {
  preferLoopback();
  const engine = await within(ENGINE_TIMEOUT_MS, 'the Docker engine did not answer', getContainerRuntimeClient());
  for (const image of images.map((name) => ImageName.fromString(name))) {
    if (await engine.image.exists(image)) continue;
    log(`pulling ${image.string}`);
    await within(PULL_TIMEOUT_MS, `pulling ${image.string} took too long`, engine.image.pull(image));
    if (!(await engine.image.exists(image))) throw new Error(`${image.string} could not be pulled`);
  }
  await getReaper(engine); // each of two containers that start at once would bring its own
  return engine;
}

// Testcontainers publishes on every address of the machine, and has this hook for everything it has no method for.
/** A container whose ports are published on 127.0.0.1, unless the engine is on another machine. */
export class LocalContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    await publishOnLoopback(this.hostConfig);
  }
}

/** The same of PostgreSQL. */
export class LocalPostgres extends PostgreSqlContainer {
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
 * are on the engine's own machine. (`os.networkInterfaces` leaves the bridge out while no container runs.)
 */
function preferLoopback(): void {
  const socket = process.env['DOCKER_HOST'] ?? 'unix:';
  const onThisMachine = !existsSync('/.dockerenv') || existsSync('/sys/class/net/docker0');
  if (socket.startsWith('unix:') && onThisMachine) process.env['TESTCONTAINERS_HOST_OVERRIDE'] ??= '127.0.0.1';
}

async function within<T>(timeoutMs: number, message: string, work: Promise<T>): Promise<T> {
  const late = delay(timeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`${message} (${timeoutMs / 1000} s)`);
  });
  return Promise.race([work, late]);
}
