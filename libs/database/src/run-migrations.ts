// `node run-migrations.js`: brings DATABASE_URL up to date and says what it did. Waits out a server that is starting.
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
      process.stderr.write(`the database of DATABASE_URL is not brought up to date: ${(error as Error).message}\n`);
      process.exit(reason instanceof UnusableDatabaseError ? 78 : 1); // EX_CONFIG
    }
    if (waitedMs > 5_000 && !told) process.stderr.write(`waiting: ${error.message}\n`);
    told ||= waitedMs > 5_000;
    await delay(500);
  }
}
