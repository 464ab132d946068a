// Holds a worker, in any language, against the worker protocol of docs/http-api.md:
//
//   npm run worker-protocol -- [--own] [--only check,...] [-- COMMAND ...]
//
// The command starts the worker. It gets AMQP_URL, API_URL, API_KEY, QUEUES, WORKER_CONCURRENCY, SHUTDOWN_GRACE_MS and INSTANCE
// in its environment, and must run the job type `demo.sleep`. Without a command it is the Python worker of the examples, with
// a Python that has pika. With --own it is one of Offload's, which gets a DATABASE_URL, too. Brings its own servers, and takes
// those of TEST_DATABASE_URL, TEST_AMQP_URL and TEST_MANAGEMENT_URL where they are set. Exits with 1 when a promise is not kept.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { repository, withTestServers } from '@offload/running-system';
import { findPython } from '@offload/spec-kit/servers';
import { prove } from './prove.ts';

const say = (line: string): void => void process.stderr.write(`${line}\n`);
// Workers under test end with this process when it exits, and not when a signal kills it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

try {
  const { values, positionals } = parseArgs({
    options: { own: { type: 'boolean', default: false }, only: { type: 'string' } },
    allowPositionals: true,
  });
  const example = join(repository, 'examples/08-python-worker/worker.py');
  const command = positionals.length > 0 ? positionals : [await findPython(say), example];
  const verdicts = await withTestServers(() => prove({ command, isOwn: values.own }, values.only?.split(',')));
  for (const { check, fault } of verdicts) {
    process.stdout.write(`${fault === null ? 'ok    ' : 'FAILED'}  ${check.name.padEnd(13)} ${check.promise}\n`);
    if (fault !== null) process.stdout.write(`${fault.replaceAll(/^/gm, '        ')}\n`);
  }
  const failed = verdicts.filter(({ fault }) => fault !== null).length;
  process.stdout.write(`${verdicts.length - failed} kept, ${failed} not\n`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  say(`npm run worker-protocol: ${(error as Error).message}`);
  process.exitCode = 1;
}
