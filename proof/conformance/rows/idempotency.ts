import assert from 'node:assert/strict';
import { eventually } from '@offload/spec-kit';
import { sql, withClient } from '@offload/running-system';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

const path = '/v1/jobs';
const keyed = (key: string) => ({ path, body: sleep, headers: { 'idempotency-key': key } });
const refused = { status: 400, problem: 'invalid-request', body: { errors: [{ header: 'Idempotency-Key' }] } };

const key = (unique: string) => ({ 'idempotency-key': `"${unique}"` });

/** Idempotency keys. */
export const idempotency = rowsOf('draft-ietf-httpapi-idempotency-key-header', [
  {
    section: '2.1',
    rule: 'A key is a string in double quotes',
    request: keyed('"{unique}"'),
    expect: { status: 202, headers: { 'Idempotency-Replayed': null } },
  },
  {
    section: '2.4',
    rule: 'The whole body counts: the same members in another order are another request',
    asked: 'POST /v1/jobs twice with one key, the body’s members turned round',
    answered: '202, then 422 idempotency-key-reused',
    async run({ ask, get, unique }) {
      await get({ path, body: sleep, headers: key(unique) }, 202);
      const { type, payload } = sleep;
      assert.equal((await ask({ path, body: { payload, type }, headers: key(unique) })).status, 422);
    },
  },
  {
    section: '2.6',
    rule: 'The same request again gets the first answer, and makes no second job',
    asked: 'POST /v1/jobs twice with one key',
    answered: '202 twice, with the same Location and body; Idempotency-Replayed: true',
    async run({ ask, get, unique }) {
      const asked = { path, body: { ...sleep, tags: [unique] }, headers: key(unique) };
      const [first, again] = [await ask(asked), await ask(asked)];
      assert.deepEqual([first.status, again.status], [202, 202]);
      assert.deepEqual([again.body, again.headers['location']], [first.body, first.headers['location']]);
      assert.deepEqual(
        [first.headers['idempotency-replayed'], again.headers['idempotency-replayed']],
        [undefined, 'true'],
      );
      assert.equal((await get<{ jobs: unknown[] }>({ path: `${path}?tag=${unique}` })).jobs.length, 1);
    },
  },
  {
    section: '2.6',
    rule: 'The first answer comes again also when the job has changed since',
    asked: 'POST /v1/jobs with a key, the job is cancelled, and the same again',
    answered: '202 with the job as it was accepted',
    async run({ ask, get, unique }) {
      const asked = { path, body: { ...sleep, delayMs: 60_000 }, headers: key(unique) };
      const first = await get(asked, 202);
      await get({ method: 'POST', path: `${path}/${first.id}/cancel` });
      assert.deepEqual(await get(asked, 202), first);
      assert.equal((await ask({ path: `${path}/${first.id}` })).status, 200);
    },
  },
  {
    section: '2.6',
    rule: 'Requests with one key at the same time make one job',
    asked: 'POST /v1/jobs ten times at once with one key',
    answered: '202 of one job, or 409',
    async run({ ask, unique }) {
      const asked = { path, body: sleep, headers: key(unique) };
      const answers = await Promise.all(Array.from({ length: 10 }, () => ask(asked)));
      const taken = answers.filter(({ status }) => status === 202);
      assert.deepEqual(
        [...new Set(answers.map(({ status }) => status))].filter((each) => ![202, 409].includes(each)),
        [],
      );
      assert.equal(new Set(taken.map(({ headers }) => headers['location'])).size, 1);
    },
  },
  {
    section: '2.7',
    rule: 'The key with another body is answered 422',
    asked: 'POST /v1/jobs twice with one key, the second time with a tag',
    answered: '202, then 422 idempotency-key-reused',
    async run({ ask, get, unique }) {
      await get({ path, body: sleep, headers: key(unique) }, 202);
      const { status, body } = await ask({ path, body: { ...sleep, tags: ['other'] }, headers: key(unique) });
      assert.deepEqual(
        [status, (JSON.parse(body) as { type: string }).type],
        [422, '/problems/idempotency-key-reused'],
      );
    },
  },
  {
    section: '2.7',
    rule: 'While the first request is being stored, the same again is answered 409',
    asked: 'POST /v1/jobs with a key that the database is slow to keep, and the same again',
    answered: '409 idempotency-key-in-flight, Retry-After; the first 202',
    run: ({ ask, databaseUrl, unique }) =>
      withClient(databaseUrl, async (locking) => {
        const asked = { path, body: sleep, headers: key(unique) };
        await locking.query('begin; lock table idempotency_keys in access exclusive mode');
        const first = ask(asked);
        await eventually(async () => {
          // Retention may also wait, because it deletes.
          const text = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()
            and query like '%idempotency_keys%' and query not like '%delete%'`;
          if ((await sql(databaseUrl, text)).length === 0) throw new Error('the first has not come to the lock');
        });
        const again = await ask(asked);
        await locking.query('commit');
        assert.deepEqual([again.status, again.headers['retry-after'], (await first).status], [409, '1', 202]);
      }),
  },
  {
    section: '5',
    rule: 'A key in another form is refused, rather than obeyed without it',
    request: keyed('{unique}'),
    expect: refused,
  },
  {
    section: '5',
    rule: 'Keys of different clients are independent',
    asked: 'POST /v1/jobs with one key by two clients, with different bodies',
    answered: '202 of two jobs',
    async run({ get, unique }) {
      const headers = key(unique);
      const first = await get({ path, body: sleep, headers, by: 'anyone' }, 202);
      const second = await get({ path, body: { ...sleep, tags: ['other'] }, headers, by: 'another' }, 202);
      assert.notEqual(first.id, second.id);
    },
  },
]);
