import { setTimeout as delay } from 'node:timers/promises';

import { Wait, type StartedTestContainer } from 'testcontainers';

import { brokerPorts, brokerUrls, type Broker, type BrokerOptions, type BrokerPorts } from './broker.ts';
import {
  containerEngine,
  LocalContainer,
  PASSWORD,
  RABBITMQ_IMAGE,
  RABBITMQ_PORTS,
  START_TIMEOUT_MS,
  USER,
  type ContainerEngine,
} from './container-engine.ts';
import { accepts, rabbitmqLog, rabbitmqTerms, type RabbitmqSettings } from '@offload/embedded-servers';

const STOP_GRACE_MS = 10_000;
const CONFIGURATION = '/etc/rabbitmq';

/** Makes a broker in a container. It is not started yet. */
export async function containerBroker({ settings, abort, log }: BrokerOptions): Promise<Broker> {
  const engine = await containerEngine([RABBITMQ_IMAGE], log);
  const ports = await brokerPorts();
  const urls = brokerUrls(engine.info.containerRuntime.host, ports, settings, `${USER}:${PASSWORD}`);
  let started: StartedTestContainer | undefined;

  /** The engine's handle of the container; undefined unless it runs. */
  async function running(): Promise<EngineContainer | undefined> {
    const container = started && engine.container.getById(started.getId());
    return container && (await engine.container.inspect(container)).State.Running ? container : undefined;
  }

  async function end(how: (container: EngineContainer) => Promise<unknown>): Promise<void> {
    const container = await running();
    if (container) await how(container);
    for (const url of [urls.amqpUrl, urls.managementUrl]) {
      while (await accepts(new URL(url))) await delay(20); // the engine's proxy ends after the container
    }
  }

  async function start(): Promise<void> {
    abort.throwIfAborted();
    if (await running()) return;
    const lines: string[] = [];
    try {
      if (started) await started.restart();
      else started = await newContainer(ports, settings, (text) => lines.push(text)).start();
    } catch (cause) {
      started = undefined; // Testcontainers has removed the container
      throw new Error(`RabbitMQ did not start in its container:\n${lines.join('').slice(-4_000)}`, { cause });
    }
  }

  const kill = () =>
    end(async (container) => {
      await container.kill();
      await container.wait();
    });

  return {
    urls,
    start,
    stop: () => end((container) => engine.container.stop(container, { timeout: STOP_GRACE_MS })),
    kill,
    async wipe() {
      await kill();
      await started?.stop({ timeout: 0 }); // removes the container with its volume
      started = undefined;
      await start();
    },
    async control(args) {
      // Not as root, which has another Erlang cookie.
      const result = await started?.exec(['rabbitmqctl', ...args], { user: 'rabbitmq' });
      if (result?.exitCode !== 0) throw new Error(`rabbitmqctl ${args.join(' ')} failed:\n${result?.output}`);
      return result.stdout;
    },
    async remove() {
      await started?.stop({ timeout: 0 });
    },
  };
}

type EngineContainer = ReturnType<ContainerEngine['container']['getById']>;

/** Makes a container with fixed ports. Ports that the engine chooses would change at each start. */
function newContainer(ports: BrokerPorts, settings: RabbitmqSettings, onLog: (text: string) => void): LocalContainer {
  const { terms, files } = rabbitmqTerms(settings, String(RABBITMQ_PORTS.amqps), CONFIGURATION);
  files['advanced.config'] = `[{rabbit, [${terms.join(', ')}]}, ${rabbitmqLog}].\n`;
  const names = ['amqp', 'amqps', 'management'] as const;
  return new LocalContainer(RABBITMQ_IMAGE)
    .withExposedPorts(...names.map((name) => ({ container: RABBITMQ_PORTS[name], host: ports[name] })))
    .withEnvironment(settings.definitions ? {} : { RABBITMQ_DEFAULT_USER: USER, RABBITMQ_DEFAULT_PASS: PASSWORD })
    .withCopyContentToContainer(
      Object.entries(files).map(([name, content]) => ({ target: `${CONFIGURATION}/${name}`, content })),
    )
    .withWaitStrategy(Wait.forLogMessage('Server startup complete')) // by then it listens
    .withStartupTimeout(START_TIMEOUT_MS)
    .withLogConsumer((stream) => stream.on('data', onLog));
}
