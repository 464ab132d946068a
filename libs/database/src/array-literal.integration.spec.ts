import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { freshDatabaseUrl } from '@offload/spec-kit';
import pg from 'pg';
import { migrate } from './migrate.ts';
import { plainArray, textArray } from './array-literal.ts';

const url = freshDatabaseUrl();
let client: pg.Client;
beforeAll(async () => {
  await migrate(url); // makes the database
  client = new pg.Client({ connectionString: url });
  await client.connect();
});
afterAll(() => client.end());

it('is read by PostgreSQL as it was meant, whatever is in it', async () => {
  const texts = ['', ' ', 'NULL', 'null', null, '{}', '{"a":"b\\"c"}', '\\', '"', 'a,b', "it's", 'ü\n\t', '\\"\\'];
  const hostile = ['"\n', '"\u001f\\', '"\u007f\u0080\u2028😀\\', JSON.stringify(['"\u0001\n\\'.repeat(1_000)])];
  const plain = [1, -2.5, null, 1e21, 0];
  const sql = 'select $1::text[] as texts, $2::float8[] as plain, $3::boolean[] as truths, $4::text[] as none';
  const { rows } = await client.query(sql, [
    textArray([...texts, ...hostile]),
    plainArray(plain),
    plainArray([true, false]),
    textArray([]),
  ]);
  expect(rows).toEqual([{ texts: [...texts, ...hostile], plain, truths: [true, false], none: [] }]);
});
