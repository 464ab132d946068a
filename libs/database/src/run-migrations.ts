// `node run-migrations.js` migrates the database of DATABASE_URL and prints the applied migrations. It waits up to a
// minute for a server that is starting. Exit codes: 0 done, 1 failed, 78 wrong configuration.
import { setTimeout as delay } from 'node:timers/promises';
import { migrate } from './migrate.ts';
import { DatabaseUnavailableError, isRefused, orUnavailable, UnusableDatabaseError } from './unavailable.ts';

const url = process.env.DATABASE_URL;
if (!url) {
  process.stderr.write('DATABASE_URL is not set: postgresql://user:password@host:port/database\n');
  process.exit(78); // EX_CONFIG
}
const started = Date.now();
let told = false;
for (;;) {
  try {
    const applied = await orUnavailable(() => migrate(url));
    process.stdout.write(applied.length === 0 ? 'database up to date\n' : `applied ${applied.join(', ')}\n`);
    break;
  } catch (error) {
    const reason = (error as Error).cause ?? error;
    const isFinal = reason instanceof UnusableDatabaseError || isRefused(reason);
    const waitedMs = Date.now() - started;
    if (!(error instanceof DatabaseUnavailableError) || isFinal || waitedMs > 60_000) {
      process.stderr.write(`the migrations were not applied to DATABASE_URL: ${(error as Error).message}\n`);
      process.exit(reason instanceof UnusableDatabaseError ? 78 : 1); // EX_CONFIG
    }
    if (waitedMs > 5_000 && !told) process.stderr.write(`waiting for the database: ${error.message}\n`);
    told ||= waitedMs > 5_000;
    await delay(500);
  }
}
