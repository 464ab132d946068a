import pg from 'pg';

/** One statement over a connection of its own: nothing of the bench stays in a database that is to be dropped. */
export async function ask<Row extends object>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** Transactions that were committed in a database. Open connections tell of their last ones ten seconds later, others when they end. */
export async function transactions(url: string): Promise<number> {
  const sql = 'select xact_commit::float8 as count from pg_stat_database where datname = current_database()';
  const [row] = await ask<{ count: number }>(url, sql);
  return row?.count ?? NaN;
}

/** Makes a database anew, as a copy of another or empty. @param url of it */
export async function remakeDatabase(url: string, template = 'template0'): Promise<void> {
  const name = new URL(url).pathname.slice(1);
  const admin = Object.assign(new URL(url), { pathname: '/postgres' }).href;
  await ask(admin, `drop database if exists ${name} with (force)`);
  await ask(admin, `create database ${name} template ${template}`);
}
