import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/testing';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { openDatabase } from './open-database.ts';

const policy = { maxAttempts: 3, timeoutMs: 1_000, backoff: { baseMs: 10, factor: 2, maxMs: 100 } };

it('tells the same times in every way of reading, whatever time zone the database is in', async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  const sql = new pg.Client({ connectionString: url });
  await sql.connect();
  await sql.query(`alter database ${new URL(url).pathname.slice(1)} set timezone = 'Asia/Kolkata'`);
  await sql.end();
  const database = openDatabase({ url });
  try {
    const before = Date.now();
    const work = { id: randomUUID(), type: 'demo.sleep', queue: 'default', priority: 0, tags: [], payload: {} };
    const { job } = await database.createJob({ ...work, ...policy, delayMs: 0, runAt: null });
    expect(Math.abs(Date.parse(job.createdAt) - before)).toBeLessThan(60_000);
    expect(await database.getJob(job.id)).toEqual(job);
    expect((await database.listJobs({ limit: 1 })).jobs).toEqual([job]);
  } finally {
    await database.close();
  }
});
