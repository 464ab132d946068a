import pg from 'pg';

/** Asks PostgreSQL over a connection of its own: one that a fault has cut is never met again. */
export async function sql<Row extends object>(url: string, text: string, values: unknown[] = []): Promise<Row[]> {
  return withClient(url, async (client) => (await client.query<Row>(text, values)).rows);
}

/** A connection for the time of `use`. */
export async function withClient<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000, query_timeout: 60_000 });
  client.on('error', () => undefined); // the query under way, or the next one, fails of it
  try {
    await client.connect();
    return await use(client);
  } finally {
    await client.end().catch(() => undefined); // cut already: it has ended
  }
}

/** The URL of another database of the same server. */
export function databaseUrl(serverUrl: string, name: string): string {
  return Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
}
