import pg from 'pg';

/** Runs one statement over a new connection, so that none stays open in a database that is to be dropped. */
export async function ask<Row extends object>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/**
 * Number of committed transactions in a database. An open connection reports its last ones after ten seconds, or at its
 * end.
 */
export async function transactions(url: string): Promise<number> {
  const sql = 'select xact_commit::float8 as count from pg_stat_database where datname = current_database()';
  const [row] = await ask<{ count: number }>(url, sql);
  return row?.count ?? NaN;
}

/** Replaces a database by a copy of another, or by an empty one. @param url URL of the database */
export async function remakeDatabase(url: string, template = 'template0'): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const admin = Object.assign(new URL(url), { pathname: '/postgres' }).href;
  await ask(admin, `drop database if exists ${name} with (force)`);
  await ask(admin, `create database ${name} template ${template}`);
}
