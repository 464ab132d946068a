import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@offload/child-processes';
import { startEmbeddedRabbitmq } from '@offload/embedded-servers';
import { otherClient, type OtherClient } from './other-client.ts';

/** A broker of the player, which lessons may restart and kill. */
export interface OwnBroker {
  readonly url: string;
  readonly otherClient: OtherClient;
  stop(): Promise<void>;
  /** Starts it again with its data, on the same ports. */
  start(): Promise<void>;
  /** Kills it and removes its data. */
  remove(): Promise<void>;
}

/**
 * Starts a RabbitMQ in a temporary folder.
 *
 * @param say gets a line before an installation, which takes a while
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
  log = () => undefined; // the player kills programs, so the log is not needed
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
