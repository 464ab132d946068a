import assert from 'node:assert/strict';
import type { Asked } from '../asked.ts';
import { rowsOf, type Row } from '../row.ts';
import { sleep } from '../scene.ts';

const path = '/v1/jobs';
const wrong = { status: 400, problem: 'invalid-request', body: { errors: [{ pointer: '/runAt' }] } };

const at = (runAt: string): Asked => ({ path, body: { ...sleep, runAt } });
const runAt = (text: string) => ({ request: at(text), asked: `POST ${path} {"runAt":"${text}", …}` });

const times: Row[] = rowsOf('RFC 3339', [
  {
    section: '5.6',
    rule: 'Times in answers are in UTC, with date, time and Z',
    given: 'succeeded',
    request: { path: '/v1/jobs/{id}' },
    expect: {
      status: 200,
      body: Object.fromEntries(
        ['createdAt', 'dueAt', 'startedAt', 'finishedAt'].map((name) => [
          name,
          /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/,
        ]),
      ),
    },
  },
  {
    section: '4.2',
    rule: 'A time with an offset is the same moment in UTC',
    ...runAt('2030-07-01T01:30:00+05:30'),
    expect: { status: 202, body: { dueAt: '2030-06-30T20:00:00.000Z' } },
  },
  {
    section: '4.3',
    rule: 'The offset -00:00 is UTC',
    ...runAt('2030-07-01T12:00:00-00:00'),
    expect: { status: 202, body: { dueAt: '2030-07-01T12:00:00.000Z' } },
  },
  {
    section: '4.4',
    rule: 'A time without an offset is refused',
    ...runAt('2030-07-01T12:00:00'),
    expect: wrong,
  },
  {
    section: '5.6',
    rule: 'Seconds are required',
    ...runAt('2030-07-01T12:00Z'),
    expect: wrong,
  },
  {
    section: '5.6',
    rule: 'An offset has a colon',
    ...runAt('2030-07-01T12:00:00+0100'),
    expect: wrong,
  },
  {
    section: '5.6',
    rule: 'A second may have any number of decimals',
    ...runAt('2030-07-01T12:00:00.123456789Z'),
    expect: { status: 202, body: { dueAt: '2030-07-01T12:00:00.123Z' } },
  },
  {
    section: '5.6',
    rule: 'T and Z may be in lower case',
    ...runAt('2030-07-01t12:00:00z'),
    expect: { status: 202, body: { dueAt: '2030-07-01T12:00:00.000Z' } },
  },
  {
    section: '5.7',
    rule: 'A leap second is the second that follows',
    ...runAt('2030-06-30T23:59:60Z'),
    expect: { status: 202, body: { dueAt: '2030-07-01T00:00:00.000Z' } },
  },
  {
    section: '5.7',
    rule: 'A day that the month does not have is refused',
    ...runAt('2030-02-30T12:00:00Z'),
    expect: wrong,
  },
  {
    section: '5.7',
    rule: 'An hour is less than 24',
    ...runAt('2030-07-01T24:00:00Z'),
    expect: wrong,
  },
]);

const ids: Row[] = rowsOf('RFC 9562', [
  {
    section: '4',
    rule: 'An id is written in lower case',
    request: { path, body: { ...sleep, delayMs: 60_000 } },
    expect: { status: 202, body: { id: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ } },
  },
  {
    section: '4',
    rule: 'An id is also read in upper case',
    asked: 'GET /v1/jobs/{ID}',
    answered: '200 with the id in lower case',
    async run({ get, job }) {
      const { id } = await job('scheduled');
      assert.equal((await get({ path: `${path}/${id.toUpperCase()}` })).id, id);
    },
  },
  {
    section: '5.7',
    rule: 'An id is of version 7 and variant 10',
    request: { path, body: { ...sleep, delayMs: 60_000 } },
    expect: { status: 202, body: { id: /^.{8}-.{4}-7.{3}-[89ab].{3}-/ } },
  },
  {
    section: '5.7',
    rule: 'An id begins with the milliseconds at which it was made',
    asked: 'POST /v1/jobs',
    answered: '202, id and createdAt of the same moment',
    async run({ job }) {
      const { id, createdAt } = await job('scheduled');
      const made = parseInt(id.replace('-', '').slice(0, 12), 16);
      assert.ok(Math.abs(made - Date.parse(createdAt)) < 5_000, `${id} and ${createdAt}`);
    },
  },
  {
    section: '6.11',
    rule: 'Ids sort in the order in which they were made, in one batch too',
    asked: 'POST /v1/jobs/batch of 50 jobs',
    answered: '202, ids in ascending order',
    async run({ get }) {
      const body = { jobs: Array.from({ length: 50 }, () => ({ ...sleep, delayMs: 60_000 })) };
      const { jobs } = await get<{ jobs: { id: string }[] }>({ path: `${path}/batch`, body }, 202);
      const made = jobs.map(({ id }) => id);
      assert.deepEqual([...made].sort(), made);
    },
  },
  {
    section: '4',
    rule: 'A malformed id is refused',
    request: { path: `${path}/01900000-0000-7000-8000-00000000000g` },
    expect: { status: 400, problem: 'invalid-request', body: { errors: [{ parameter: 'id' }] } },
  },
]);

/** Times and ids. */
export const timesAndIds = [...times, ...ids];
