// Holds a worker, in any language, against the worker protocol of docs/http-api.md:
//
//   npm run worker-protocol -- [--own] [--only check,...] -- python3 examples/08-python-worker/worker.py
//
// What follows is the command that starts the worker. It gets AMQP_URL, API_URL, API_KEY, QUEUES, WORKER_CONCURRENCY,
// SHUTDOWN_GRACE_MS and INSTANCE in its environment, and must run the job type `demo.sleep`. With --own it is one of Offload's,
// which gets a DATABASE_URL, too. Brings its own servers, and takes those of TEST_DATABASE_URL, TEST_AMQP_URL and
// TEST_MANAGEMENT_URL where they are set. Exits with 1 when a promise is not kept.
import { parseArgs } from 'node:util';
import { withTestServers } from '@offload/running-system';
import { prove } from './prove.ts';

const { values, positionals: command } = parseArgs({
  options: { own: { type: 'boolean', default: false }, only: { type: 'string' } },
  allowPositionals: true,
});
if (command.length === 0) throw new TypeError('give the command that starts the worker');
const verdicts = await withTestServers(() => prove({ command, isOwn: values.own }, values.only?.split(',')));
for (const { check, fault } of verdicts) {
  process.stdout.write(`${fault === null ? 'ok    ' : 'FAILED'}  ${check.name.padEnd(13)} ${check.promise}\n`);
  if (fault !== null) process.stdout.write(`${fault.replaceAll(/^/gm, '        ')}\n`);
}
const failed = verdicts.filter(({ fault }) => fault !== null).length;
process.stdout.write(`${verdicts.length - failed} kept, ${failed} not\n`);
process.exitCode = failed === 0 ? 0 : 1;
