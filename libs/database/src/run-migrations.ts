// `node run-migrations.js`: brings DATABASE_URL up to date and says what it did. Waits out a server that is starting.
import { setTimeout as delay } from 'node:timers/promises';
import { migrate } from './migrate.ts';
import { DatabaseUnavailableError, orUnavailable, UnusableDatabaseError } from './unavailable.ts';

const url = process.env.DATABASE_URL;
if (!url) {
  process.stderr.write('DATABASE_URL is not set: postgresql://user:password@host:port/database\n');
  process.exit(78); // EX_CONFIG
}
const deadline = Date.now() + 60_000;
for (;;) {
  try {
    const applied = await orUnavailable(() => migrate(url));
    process.stdout.write(applied.length === 0 ? 'database up to date\n' : `applied ${applied.join(', ')}\n`);
    break;
  } catch (error) {
    const reason = ((error as Error).cause ?? error) as { code?: string };
    // Of class 28 are a wrong user or password, which no waiting mends.
    const isFinal = reason instanceof UnusableDatabaseError || reason.code?.startsWith('28');
    if (!(error instanceof DatabaseUnavailableError) || isFinal || Date.now() > deadline) {
      process.stderr.write(`the database is not brought up to date: ${(error as Error).message}\n`);
      process.exit(reason instanceof UnusableDatabaseError ? 78 : 1); // EX_CONFIG
    }
    await delay(500);
  }
}
