import type { Pool } from 'pg';

/** @returns the version of each of these jobs that there is, by its id in lower case */
export async function readVersions(pool: Pool, ids: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ id: string; version: number }>({
    name: 'read-versions',
    text: 'select id, version from jobs where id = any($1::uuid[])',
    values: [ids],
  });
  return new Map(rows.map(({ id, version }) => [id, version]));
}
