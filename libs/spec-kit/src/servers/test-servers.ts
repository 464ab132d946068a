// Starts servers for tests, prints their flavour and URLs as one line of JSON, and stops them when standard input ends or
// a signal comes. The input is a lifeline: it ends with the process that started this one, however that ends.
//   node test-servers.ts [--no-fsync]
import { endWithParent } from '@offload/child-processes';
import { startServers } from './servers.ts';

const fsync = !process.argv.includes('--no-fsync');
const starting = startServers((line) => process.stderr.write(`${line}\n`), { fsync });
endWithParent(async () => (await starting).stop());

const { flavour, databaseUrl, amqpUrl, managementUrl } = await starting;
process.stdout.write(`${JSON.stringify({ flavour, databaseUrl, amqpUrl, managementUrl })}\n`);
