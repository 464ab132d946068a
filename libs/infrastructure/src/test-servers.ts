// Starts servers for tests, prints their URLs as one line of JSON, and stops them when standard input ends or a signal
// comes. The input is a lifeline: it ends with the process that started this one, however that ends.
import { startServers } from './servers.ts';

const starting = startServers((line) => process.stderr.write(`${line}\n`));
let stopping = false;

async function stop(): Promise<void> {
  if (stopping) return;
  stopping = true;
  try {
    await (await starting).stop();
  } finally {
    process.exit();
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
process.stdin.on('end', stop).on('error', stop).resume();
// Whoever started us has gone:
process.stdout.on('error', stop);
process.stderr.on('error', stop);

const { databaseUrl, amqpUrl, managementUrl } = await starting;
process.stdout.write(`${JSON.stringify({ databaseUrl, amqpUrl, managementUrl })}\n`);
