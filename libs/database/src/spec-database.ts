import { afterAll, beforeAll } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { openDatabase, type Database } from './open-database.ts';

// A database with Offload's tables for the spec file that imports this, open from its first test to its last.
export const url = freshDatabaseUrl();
export let database: Database;
/** The same database, past the library. */
export let sql: pg.Pool;

beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url });
  sql = new pg.Pool({ connectionString: url });
});
afterAll(() => Promise.all([database.close(), sql.end()]));
