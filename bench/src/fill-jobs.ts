import type { Pool } from 'pg';

// Stores the jobs of a system that has run for 30 days. Nearly all are finished; the newest 2 % are waiting unless $2.
// One job in 50,000 is of a rare type, one in 20,000 in a rare queue, and one in 30,000 has a rare tag.
const sql = `
  insert into jobs (id, type, queue, status, priority, tags, payload, result, error, attempt, max_attempts, timeout_ms,
    backoff, version, created_at, due_at, started_at, finished_at)
  select
    overlay(overlay(gen_random_uuid()::text placing substr(hex, 1, 8) || '-' || substr(hex, 9, 4) from 1 for 13)
      placing '7' from 15 for 1)::uuid,
    case when n % 50000 = 77 then 'csv.profile' when n % 10 < 3 then 'http.request' else 'demo.sleep' end,
    case when n % 20000 = 3 then 'rare' when n % 5 = 0 then 'mail' else 'default' end,
    status::job_status,
    case when n % 100 = 0 then 7 else 0 end,
    (case when n % 30000 = 11 then '{nightly,rare}' when n % 4 = 0 then '{nightly,customer-42}' else '{}' end)::text[],
    json_build_object('seconds', n % 60, 'note', repeat('x', n % 300)),
    case status when 'succeeded' then '{"slept":10}'::json end,
    case status when 'failed' then jsonb_build_object('code', 'permanent', 'message', 'no luck', 'attempt', 1, 'at', created) end,
    case when status in ('queued', 'scheduled') then 0 else 1 end,
    5, 60000, '{"baseMs":1000,"factor":2,"maxMs":300000}', 3, created,
    case status when 'scheduled' then now() + interval '1 day' else created end,
    case when status in ('running', 'succeeded', 'failed') then created + interval '1 second' end,
    case when status in ('succeeded', 'failed', 'cancelled') then created + interval '11 seconds' end
  from (
    select n, created, lpad(to_hex((extract(epoch from created) * 1000)::bigint), 12, '0') as hex,
      case when not $2 and n > $1::int * 0.98 and n % 100 > 0 then 'queued'
        when not $2 and n > $1::int * 0.9795 then 'running'
        when not $2 and n % 200 = 1 then 'scheduled' when n % 100 < 6 then 'failed' when n % 50 = 7 then 'cancelled'
        else 'succeeded' end as status
    from (select n, now() - interval '30 days' * (1 - n / $1::float8) as created from generate_series(1, $1::int) as n) as times
  ) as jobs`;

/**
 * Stores jobs as if they had been made in the last 30 days.
 *
 * @param options.finished whether all are finished. @default false
 * @returns the id of the newest job, and the size of the table
 */
export async function fillJobs(
  pool: Pool,
  count: number,
  { finished = false } = {},
): Promise<{ newest: string; bytes: number }> {
  await pool.query(sql, [count, finished]);
  await pool.query('vacuum analyze jobs'); // PostgreSQL would do this by itself later
  const { rows } = await pool.query<{ newest: string; bytes: number }>(
    `select id as newest, pg_total_relation_size('jobs')::float8 as bytes from jobs order by id desc limit 1`,
  );
  return rows[0] as { newest: string; bytes: number };
}
