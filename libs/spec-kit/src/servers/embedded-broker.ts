import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { brokerPorts, brokerUrls, type Broker, type BrokerOptions } from './broker.ts';
import {
  rabbitmqPasswords,
  startEmbeddedRabbitmq,
  type EmbeddedRabbitmq,
  removeDataFolder,
} from '@offload/embedded-servers';
import { signalGroup } from '@offload/child-processes';

/** Makes a broker from the system's package, with its data in a temporary folder. It is not started yet. */
export async function embeddedBroker({ settings, abort, log }: BrokerOptions): Promise<Broker> {
  const ports = await brokerPorts();
  const dataDir = await realpath(await mkdtemp(join(tmpdir(), 'offload-broker-')));
  let server: EmbeddedRabbitmq | undefined;

  async function kill(): Promise<void> {
    if (server) signalGroup(server.pid, 'SIGKILL');
    await server?.exited;
  }

  async function start(): Promise<void> {
    if (server) return;
    const { amqp: amqpPort, amqps: amqpsPort, management: managementPort } = ports;
    const started = await startEmbeddedRabbitmq({
      dataDir,
      amqpPort,
      amqpsPort,
      managementPort,
      settings,
      abort,
      log,
    });
    server = started;
    void started.exited.then(() => (server = undefined));
  }

  return {
    urls: brokerUrls('127.0.0.1', ports, settings, `operator:${rabbitmqPasswords(dataDir).operator}`),
    start,
    async stop() {
      await server?.stop();
    },
    kill,
    async wipe() {
      await kill();
      await rm(join(dataDir, 'data'), { recursive: true, force: true, maxRetries: 5 });
      await start();
    },
    async control(args) {
      if (!server) throw new Error('The broker does not run.');
      return server.control(args);
    },
    async remove() {
      await kill();
      await removeDataFolder(dataDir);
    },
  };
}
