// `npm start`: runs the whole system on this machine, without Docker. The parts: start-options (command line), lock
// (one run at a time), machine-servers (PostgreSQL and RabbitMQ), applications (processes and their ports), supervisor
// (restarts), process-log (one readable log), ending (Ctrl-C).
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { ApplicationKind } from './applications.ts';
import { readStartOptions, START_HELP, type StartOptions } from './start-options.ts';
import { runSystem } from './system.ts';

const root = join(import.meta.dirname, '../../..');
const migrations = 'libs/database/src/run-migrations.ts';

function kinds({ workers, notifiers }: StartOptions): ApplicationKind[] {
  return [
    { kind: 'api', main: 'apps/api/src/main.ts', portVariable: 'API_PORT', port: 3000, count: 1 },
    {
      kind: 'worker',
      main: 'apps/worker/src/main.ts',
      portVariable: 'WORKER_PORT',
      port: 3200,
      count: workers.length,
      queues: workers,
    },
    {
      kind: 'notifier',
      main: 'apps/notifier/src/main.ts',
      portVariable: 'NOTIFIER_PORT',
      port: 3100,
      count: notifiers,
    },
  ];
}

/** The QUEUES of all processes: the given queues, and those of the workers. */
function queuesOf(workers: StartOptions['workers'], { QUEUES }: NodeJS.ProcessEnv): { QUEUES?: string } {
  const named = workers.filter((queue) => queue !== undefined);
  return named.length === 0 ? {} : { QUEUES: [...new Set([...(QUEUES ? QUEUES.split(',') : []), ...named])].join(',') };
}

try {
  const options = readStartOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(START_HELP);
  else {
    const file = join(root, '.env');
    if (existsSync(file)) process.loadEnvFile(file); // variables that are set already win
    const { fresh, watch, workers } = options;
    const env = { ...process.env, ...queuesOf(workers, process.env) };
    const folder = resolve(root, process.env['DATA_DIR'] || '.offload');
    process.exitCode = await runSystem({ root, folder, kinds: kinds(options), migrations, fresh, watch, env });
  }
} catch (error) {
  process.stderr.write(`npm start: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
