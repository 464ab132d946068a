// Starts servers for tests, and prints their flavour and URLs as one line of JSON. It stops them at a signal, or when
// standard input ends, which happens when its parent process ends in any way.
//   node test-servers.ts [--no-fsync]
import { endWithParent } from '@offload/child-processes';
import { startServers } from './servers.ts';

const fsync = !process.argv.includes('--no-fsync');
const starting = startServers((line) => process.stderr.write(`${line}\n`), { fsync });
endWithParent(async () => (await starting).stop());

const { flavour, databaseUrl, amqpUrl, managementUrl } = await starting;
process.stdout.write(`${JSON.stringify({ flavour, databaseUrl, amqpUrl, managementUrl })}\n`);
