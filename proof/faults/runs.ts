import pg from 'pg';

/** A run of a job as its target saw it, from the request to the answer, or to the end of the connection. */
export interface Run {
  scenario: string;
  job: number;
  /** Milliseconds since 1970, by this process's clock, which no fault touches. */
  startedAt: number;
  /** Null while it runs. */
  endedAt: number | null;
  /** Whether it was answered before the worker had gone. */
  answered: boolean;
}

/** The table of runs, in a database that no fault touches. */
export interface Runs {
  /** Stores a run. Call it again after a change. */
  keep(run: Run): void;
  /** The runs of one scenario, oldest first, when all of them are stored. */
  of(scenario: string): Promise<Run[]>;
  close(): Promise<void>;
}

const FLUSH_MS = 100;

const keepSql = `
  insert into runs (id, scenario, job, started_at, ended_at, answered)
  select * from unnest($1::int[], $2::text[], $3::int[], $4::float8[], $5::float8[], $6::boolean[])
  on conflict (id) do update set ended_at = excluded.ended_at, answered = excluded.answered`;

/** Opens the table. @param url URL of a database for this table alone */
export async function openRuns(url: string): Promise<Runs> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  await pool.query(`create table runs (id int primary key, scenario text not null, job int not null,
    started_at float8 not null, ended_at float8, answered boolean not null)`);
  const ids = new Map<Run, number>();
  let unsaved = new Set<Run>();
  let count = 0;
  let saving = Promise.resolve();

  async function save(): Promise<void> {
    if (unsaved.size === 0) return;
    const rows = [...unsaved];
    unsaved = new Set();
    await pool.query({
      name: 'keep',
      text: keepSql,
      values: [
        rows.map((run) => ids.get(run)),
        rows.map(({ scenario }) => scenario),
        rows.map(({ job }) => job),
        rows.map(({ startedAt }) => startedAt),
        rows.map(({ endedAt }) => endedAt),
        rows.map(({ answered }) => answered),
      ],
    });
    for (const run of rows) if (run.endedAt !== null && !unsaved.has(run)) ids.delete(run);
  }

  const timer = setInterval(() => (saving = saving.then(save)), FLUSH_MS);
  return {
    keep(run) {
      if (!ids.has(run)) ids.set(run, (count += 1));
      unsaved.add(run);
    },
    async of(scenario) {
      await (saving = saving.then(save));
      const { rows } = await pool.query<Run>(
        `select scenario, job, started_at as "startedAt", ended_at as "endedAt", answered
         from runs where scenario = $1 order by started_at, id`,
        [scenario],
      );
      return rows;
    },
    async close() {
      clearInterval(timer);
      await saving;
      await pool.end();
    },
  };
}
