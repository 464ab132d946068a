import { afterAll, beforeAll } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { openDatabase, type Database } from './open-database.ts';

// A database with Offload's tables for the spec file that imports this. It is open from the first test to the last.
export const url = freshDatabaseUrl();
export let database: Database;
/** Plain connections to the same database. */
export let sql: pg.Pool;

beforeAll(async () => {
  await migrate(url);
  database = openDatabase({ url });
  sql = new pg.Pool({ connectionString: url });
});
afterAll(() => Promise.all([database.close(), sql.end()]));
