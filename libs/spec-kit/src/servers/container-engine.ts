import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { PostgreSqlContainer } from '@testcontainers/postgresql';
import { GenericContainer, getContainerRuntimeClient, getReaper, ImageName } from 'testcontainers';

import type { LineSink } from '@offload/child-processes';

/** The image of PostgreSQL. */
export const POSTGRES_IMAGE = 'postgres:17';
/** User name of both servers' administrators. */
export const USER = 'offload';
/** Password of both administrators. It is random, because other users of this machine reach the published ports. */
export const PASSWORD = randomBytes(24).toString('hex');
/** The image of RabbitMQ. */
export const RABBITMQ_IMAGE = 'rabbitmq:4-management';
/** The ports that a RabbitMQ listens on in its container. */
export const RABBITMQ_PORTS = { amqp: 5672, amqps: 5671, management: 15672 };
/** Milliseconds in which a container must be ready. */
export const START_TIMEOUT_MS = 120_000;

const ENGINE_TIMEOUT_MS = 10_000;
const PULL_TIMEOUT_MS = 120_000;

/** A Docker engine. */
export type ContainerEngine = Awaited<ReturnType<typeof getContainerRuntimeClient>>;

/**
 * Connects to the Docker engine and pulls missing `images`. It also starts Testcontainers' reaper, which removes the
 * containers of this process even when the process is killed.
 *
 * @param log gets a line before a pull, which takes a while
 * @throws Error when no engine answers within 10 s, or when an image is missing and can't be pulled within 2 minutes
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
  await getReaper(engine); // otherwise two containers that start at once would start a reaper each
  return engine;
}

// Testcontainers publishes ports on every address of the machine. Its hook for other settings changes that.
/** A container whose ports are published on 127.0.0.1, unless the engine is on another machine. */
export class LocalContainer extends GenericContainer {
  protected override async beforeContainerCreated(): Promise<void> {
    await publishOnLoopback(this.hostConfig);
  }
}

/** A PostgreSQL container whose ports are published like those of {@link LocalContainer}. */
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
 * Makes Testcontainers connect to published ports on 127.0.0.1 if the engine is on this machine. By itself it uses
 * `localhost`, which may be ::1, or the bridge's address when there is a /.dockerenv, as in some virtual machines. This
 * machine is the engine's own if it has the engine's bridge or no such file. (`os.networkInterfaces` omits the bridge
 * while no container runs.)
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
