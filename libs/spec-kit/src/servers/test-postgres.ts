// Runs an embedded PostgreSQL for a test file that ends or restarts it. It answers requests (see requests.ts), and
// removes the server with its data when its input ends:
//   ["open", settings] → URL    ["start"]    ["stop", mode]    ["kill"]
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { answerRequests } from './requests.ts';
import { removePostgres, startEmbeddedPostgres, type EmbeddedPostgres } from '@offload/embedded-servers';
import { freePort } from '@offload/child-processes';

/**
 * PostgreSQL's stop modes: `fast` rolls open transactions back; after `immediate` the next start recovers from a crash.
 */
type StopMode = 'fast' | 'immediate';
type Settings = Record<string, string | number>;
type Request = ['open', Settings] | ['start'] | ['kill'] | ['stop', StopMode];

const ending = new AbortController();
let folder: string | undefined;
let port = 0;
let settings: Settings = {};
let server: EmbeddedPostgres | undefined;

const dataDir = (): string => join(folder as string, 'postgres');

async function open(wanted: Settings): Promise<string> {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'offload-postgres-')));
  await chmod(folder, 0o711); // started by root, PostgreSQL runs as another user, who must enter this folder
  [port, settings] = [await freePort(), wanted];
  return (await start()).url;
}

async function start(): Promise<EmbeddedPostgres> {
  if (server) return server;
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const started = await startEmbeddedPostgres({ dataDir: dataDir(), port, settings, abort: ending.signal, log });
  server = started;
  void started.exited.then(() => (server = undefined));
  return started;
}

/**
 * Ends the server: https://www.postgresql.org/docs/18/server-shutdown.html. After a kill, the backends end by
 * themselves.
 */
async function end(how: StopMode | 'kill'): Promise<void> {
  if (!server) return;
  const { pid, exited } = server;
  if (how === 'fast') return server.stop();
  process.kill(pid, how === 'kill' ? 'SIGKILL' : 'SIGQUIT');
  await exited;
}

async function perform(request: Request): Promise<unknown> {
  if (request[0] === 'open') return open(request[1]);
  if (folder === undefined) throw new Error('The server is not open.');
  if (request[0] === 'start') return void (await start());
  return end(request[0] === 'stop' ? request[1] : 'kill');
}

answerRequests((request) => perform(request as Request), {
  abandon: () => ending.abort(),
  async remove() {
    if (folder === undefined) return;
    await end('immediate');
    await removePostgres(dataDir());
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  },
});
