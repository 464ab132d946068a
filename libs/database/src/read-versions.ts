import type { Pool } from 'pg';

/** Reads the versions of these jobs. @returns by id in lower case; unknown ids are left out */
export async function readVersions(pool: Pool, ids: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ id: string; version: number }>({
    name: 'read-versions',
    text: 'select id, version from jobs where id = any($1::uuid[])',
    values: [ids],
  });
  return new Map(rows.map(({ id, version }) => [id, version]));
}
