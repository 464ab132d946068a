import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

const path = '/v1/jobs';
const later = { ...sleep, delayMs: 3_600_000 };
/** The api has neither waited nor mentioned the preference. */
const ignored = { status: 202, headers: { 'Preference-Applied': null } };

const prefer = (value: string) => ({ path, body: later, headers: { prefer: value } });

/** Prefer: wait (RFC 7240). */
export const preferences = rowsOf('RFC 7240', [
  {
    section: '2',
    rule: 'Answers that a preference could change have Vary: Prefer, also without a preference',
    given: 'scheduled',
    request: { path: '/v1/jobs/{id}' },
    expect: { status: 200, headers: { Vary: /(^|, *)Prefer(,|$)/i } },
  },
  {
    section: '2',
    rule: 'Unknown preferences are ignored',
    request: prefer('return=minimal, handling=strict, vendor.own="a b"; x=y'),
    expect: ignored,
  },
  {
    section: '2',
    rule: 'An invalid value of a preference is ignored, not refused',
    request: prefer('wait=soon'),
    expect: ignored,
  },
  {
    section: '2',
    rule: 'A field that is malformed is ignored, not refused',
    request: prefer('=;="wait=9'),
    expect: ignored,
  },
  {
    section: '2',
    rule: 'The first of two equal preferences counts',
    request: prefer('wait=0, wait=50'),
    expect: { status: 202, headers: { 'Preference-Applied': 'wait=0' } },
  },
  {
    section: '2',
    rule: 'The first counts even if its value is invalid',
    request: prefer('wait=soon, wait=0'),
    expect: ignored,
  },
  {
    section: '2',
    rule: 'Names of preferences are case-insensitive',
    request: prefer('WAIT=0'),
    expect: { status: 202, headers: { 'Preference-Applied': 'wait=0' } },
  },
  {
    section: '2',
    rule: 'A value may be quoted',
    request: prefer('wait="0"'),
    expect: { status: 202, headers: { 'Preference-Applied': 'wait=0' } },
  },
  {
    section: '2',
    rule: 'Whitespace around `=` is allowed',
    request: prefer('wait = 0'),
    expect: { status: 202, headers: { 'Preference-Applied': 'wait=0' } },
  },
  {
    section: '2',
    rule: 'An empty value is no value',
    request: prefer('wait=""'),
    expect: ignored,
  },
  {
    section: '2',
    rule: 'Commas and semicolons in quotes belong to the value',
    request: prefer('own="wait=50, \\", wait=40; a", wait=0'),
    expect: { status: 202, headers: { 'Preference-Applied': 'wait=0' } },
  },
  {
    section: '2',
    rule: 'Parameters of a preference do not change its value',
    request: prefer('wait=0; wait=50; foo="bar"'),
    expect: { status: 202, headers: { 'Preference-Applied': 'wait=0' } },
  },
  {
    section: '4.3',
    rule: 'wait is a number of seconds without sign and fraction',
    request: prefer('wait=0.5'),
    expect: ignored,
  },
  {
    section: '4.3',
    rule: 'wait on POST: a job that is finished in time is answered 200, with its result',
    request: { path, body: sleep, headers: { prefer: 'wait=20' } },
    expect: {
      status: 200,
      headers: { 'Preference-Applied': 'wait=20', Location: null },
      body: { status: 'succeeded', attempt: 1, error: null },
    },
  },
  {
    section: '4.3',
    rule: 'wait on POST: when the time is over, the answer is the one without wait',
    asked: 'POST /v1/jobs of a later job, Prefer: wait=1',
    answered: '202 with Location and Retry-After, after 1 s',
    async run({ ask }) {
      const from = performance.now();
      const { status, headers } = await ask(prefer('wait=1'));
      const tookMs = performance.now() - from;
      assert.deepEqual([status, headers['preference-applied']], [202, 'wait=1']);
      assert.match(String(headers['location']), /^\/v1\/jobs\//);
      assert.match(String(headers['retry-after']), /^\d+$/);
      assert.ok(tookMs >= 950 && tookMs < 5_000, `took ${tookMs} ms`);
    },
  },
  {
    section: '4.3',
    rule: 'wait on GET: the answer comes when the job is finished',
    asked: 'GET /v1/jobs/{id}, Prefer: wait=20; then POST …/cancel',
    answered: '200 with the cancelled job, within 20 s',
    async run({ ask, get, job }) {
      const { id } = await job('scheduled');
      const held = ask({ path: `${path}/${id}`, headers: { prefer: 'wait=20' } });
      await get({ method: 'POST', path: `${path}/${id}/cancel` });
      const { status, body, headers } = await held;
      assert.deepEqual([status, headers['preference-applied']], [200, 'wait=20']);
      assert.equal((JSON.parse(body) as { status: string }).status, 'cancelled');
    },
  },
  {
    section: '4.3',
    rule: 'wait on GET of a finished job waits for nothing',
    given: 'succeeded',
    request: { path: '/v1/jobs/{id}', headers: { prefer: 'wait=15' } },
    expect: { status: 200, headers: { 'Preference-Applied': 'wait=15', 'Retry-After': null } },
  },
  {
    section: '4.3',
    rule: 'respond-async beside wait: when the time is over, the answer is 202',
    request: prefer('respond-async, wait=0'),
    expect: { status: 202, headers: { 'Preference-Applied': /\bwait=0\b/ } },
  },
  {
    section: '3',
    rule: 'Preference-Applied has the granted wait: 60 s at most',
    given: 'succeeded',
    request: { path: '/v1/jobs/{id}', headers: { prefer: 'wait=3600' } },
    expect: { status: 200, headers: { 'Preference-Applied': 'wait=60' } },
  },
  {
    section: '3',
    rule: 'Preference-Applied is not there where no preference was applied',
    given: 'scheduled',
    request: { path: '/v1/jobs/{id}' },
    expect: { status: 200, headers: { 'Preference-Applied': null } },
  },
]);
