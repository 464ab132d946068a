import { Wait } from 'testcontainers';

import type { LineSink } from '@offload/child-processes';
import {
  containerEngine,
  LocalContainer,
  LocalPostgres,
  PASSWORD,
  POSTGRES_IMAGE,
  RABBITMQ_IMAGE,
  RABBITMQ_PORTS,
  START_TIMEOUT_MS,
  USER,
} from './container-engine.ts';
import type { PostgresSettings, Servers } from './server-pair.ts';

/** Options of {@link startContainers}. */
export interface ContainersOptions {
  settings: PostgresSettings;
  /** Gets a line before a pull, which takes a while. */
  log: LineSink;
}

/**
 * Starts both servers in containers. Testcontainers removes them even when this process is killed. Ports are published
 * on 127.0.0.1, unless the engine is on another machine.
 *
 * @throws Error when there is no engine or image (see `containerEngine`), or a server is not ready after 2 minutes
 */
export async function startContainers({ settings, log }: ContainersOptions): Promise<Servers> {
  await containerEngine([POSTGRES_IMAGE, RABBITMQ_IMAGE], log);
  const starting = [startPostgres(settings), startRabbitmq()] as const;
  const stop = async () => {
    const started = await Promise.allSettled(starting);
    await Promise.all(started.map((server) => server.status === 'fulfilled' && server.value.stop({ timeout: 0 })));
  };
  try {
    const [postgres, rabbitmq] = await Promise.all(starting);
    const rabbitmqAt = (port: number) => `${rabbitmq.getHost()}:${rabbitmq.getMappedPort(port)}`;
    return {
      flavour: 'containers',
      databaseUrl: `postgres://${USER}:${PASSWORD}@${postgres.getHost()}:${postgres.getPort()}/postgres`,
      amqpUrl: `amqp://${USER}:${PASSWORD}@${rabbitmqAt(RABBITMQ_PORTS.amqp)}`,
      managementUrl: `http://${rabbitmqAt(RABBITMQ_PORTS.management)}`,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function startPostgres(settings: PostgresSettings) {
  const parameters = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return new LocalPostgres(POSTGRES_IMAGE)
    .withDatabase('postgres')
    .withUsername(USER)
    .withPassword(PASSWORD)
    .withCommand(['postgres', ...parameters])
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
}

function startRabbitmq() {
  return new LocalContainer(RABBITMQ_IMAGE)
    .withExposedPorts(RABBITMQ_PORTS.amqp, RABBITMQ_PORTS.management)
    .withEnvironment({ RABBITMQ_DEFAULT_USER: USER, RABBITMQ_DEFAULT_PASS: PASSWORD })
    .withWaitStrategy(Wait.forAll([Wait.forLogMessage('Server startup complete'), Wait.forListeningPorts()]))
    .withStartupTimeout(START_TIMEOUT_MS)
    .start();
}
