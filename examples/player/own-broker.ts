import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@offload/child-processes';
import { startEmbeddedRabbitmq } from '@offload/embedded-servers';
import { otherClient, type OtherClient } from './other-client.ts';

/** A broker that nobody else uses: the lessons may do with it what they like. */
export interface OwnBroker {
  readonly url: string;
  readonly otherClient: OtherClient;
  stop(): Promise<void>;
  /** Starts it again, with what it has stored and where it was. */
  start(): Promise<void>;
  /** Kills it, and removes what it has stored. */
  remove(): Promise<void>;
}

/**
 * Starts a RabbitMQ in a temporary folder, as `npm start` does in one of its own.
 * @param say is told what takes long: installing it
 */
export async function startOwnBroker(say: (line: string) => void): Promise<OwnBroker> {
  const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'offload-examples-')));
  const [amqpPort, managementPort] = [await freePort(), await freePort()];
  const killing = new AbortController();
  const killAndForget = (): void => {
    killing.abort();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  process.on('exit', killAndForget);

  let log = say;
  const startServer = () =>
    startEmbeddedRabbitmq({ dataDir, amqpPort, managementPort, abort: killing.signal, log: (line) => log(line) });
  let server = await startServer();
  log = () => undefined; // that programs are killed is no news
  const { username, password } = new URL(server.amqpUrl);

  return {
    url: server.amqpUrl,
    otherClient: otherClient(server.managementUrl, { username, password }),
    stop: () => server.stop(),
    start: async () => void (server = await startServer()),
    async remove() {
      process.off('exit', killAndForget);
      killing.abort();
      await server.exited;
      killAndForget();
    },
  };
}
