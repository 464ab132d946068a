import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { eventually } from '@offload/spec-kit';
import { metric } from '@offload/running-system/requests';
import type { Answer } from '../answer.ts';
import { rowsOf, type Row } from '../row.ts';
import { sleep, type Scene } from '../scene.ts';
import { head } from '../wire.ts';
import { RATE_LIMIT, type KeyName } from '../world.ts';

const read = { path: '/v1/jobs?tag=none' };

/** Sends one request more than the client may send in a minute. */
async function tooMany({ ask }: Scene, by: KeyName): Promise<Answer> {
  for (let count = 0; count < RATE_LIMIT; count += 1) assert.equal((await ask({ ...read, by })).status, 200);
  return ask({ ...read, by });
}

const statuses: Row[] = rowsOf('RFC 6585', [
  {
    section: '4',
    rule: 'Too many requests get 429 with a reason and Retry-After, and caches do not store it',
    asked: `GET /v1/jobs, ${RATE_LIMIT + 1} times`,
    answered: '429 rate-limited, Retry-After, Cache-Control: no-store',
    async run(scene) {
      const { status, headers, body } = await tooMany(scene, 'hasty');
      assert.deepEqual([status, headers['cache-control']], [429, 'no-store']);
      assert.match(String(headers['retry-after']), /^[1-9]\d?$/);
      assert.equal((JSON.parse(body) as { type: string }).type, '/problems/rate-limited');
    },
  },
  {
    section: '5',
    rule: 'Too large header fields are answered 431, which is not stored',
    asked: 'GET /healthz with a header field of 20,000 octets',
    wire: head('GET /healthz HTTP/1.1', 'Host: api', `X-Filler: ${'x'.repeat(20_000)}`),
    expect: [
      { status: 431, problem: 'headers-too-large', headers: { 'Cache-Control': 'no-store', Connection: 'close' } },
    ],
  },
]);

const rate: Row[] = rowsOf('draft-ietf-httpapi-ratelimit-headers-08', [
  {
    section: '3.1',
    rule: 'RateLimit-Policy is a list of strings with the quota in q',
    request: { ...read, by: 'anyone' },
    expect: {
      status: 200,
      headers: { 'RateLimit-Policy': new RegExp(`^"[\\x20-\\x7e]+?"(;.*)?; *q=${RATE_LIMIT}(;|$)`) },
    },
  },
  {
    section: '3.1.3',
    rule: 'The window is in w, in whole seconds',
    request: { ...read, by: 'anyone' },
    expect: { status: 200, headers: { 'RateLimit-Policy': /; *w=60(;|$)/ } },
  },
  {
    section: '4.1.1',
    rule: 'r has the remaining requests, and decreases with each request',
    asked: 'GET /v1/jobs twice',
    answered: 'RateLimit, r smaller by one',
    async run({ ask }) {
      const left = async () => {
        const { headers } = await ask({ ...read, by: 'another' });
        return Number(/; *r=(\d+)(?:;|$)/.exec(String(headers['ratelimit']))?.[1]);
      };
      const [first, second] = [await left(), await left()];
      assert.equal(second, first - 1);
    },
  },
  {
    section: '4.1.2',
    rule: 't has the time of the reset, in whole seconds within the window',
    request: { ...read, by: 'anyone' },
    expect: { status: 200, headers: { RateLimit: /; *t=([1-5]?\d|60)(;|$)/ } },
  },
  {
    section: '4.1',
    rule: 'RateLimit and RateLimit-Policy name the same policy',
    asked: 'GET /v1/jobs',
    answered: 'RateLimit, RateLimit-Policy',
    async run({ ask }) {
      const { headers } = await ask({ ...read, by: 'anyone' });
      const [limit, policy] = ['ratelimit', 'ratelimit-policy'].map(
        (name) => /^"([^"]+)"/.exec(String(headers[name]))?.[1],
      );
      assert.ok(limit !== undefined && limit === policy, `${limit} and ${policy}`);
    },
  },
  {
    section: '5',
    rule: 'Retry-After is not before the reset in t',
    asked: `GET /v1/jobs, ${RATE_LIMIT + 1} times`,
    answered: '429, RateLimit with r=0, Retry-After of t or more',
    async run(scene) {
      const { headers } = await tooMany(scene, 'hurried');
      const [, left, reset] = /; *r=(\d+); *t=(\d+)/.exec(String(headers['ratelimit'])) ?? [];
      assert.equal(left, '0');
      assert.ok(Number(headers['retry-after']) >= Number(reset), `${headers['retry-after']} s, t=${reset}`);
    },
  },
]);

const contract: Row[] = rowsOf('Contract', [
  {
    section: 'Limits',
    rule: 'Without a rate limit there are no RateLimit fields',
    request: read,
    expect: { status: 200, headers: { RateLimit: null, 'RateLimit-Policy': null } },
  },
  {
    section: 'Limits',
    rule: 'A body may have 1 MiB',
    asked: 'POST /v1/jobs of 1,048,576 octets',
    request: { path: '/v1/jobs', octets: bodyOf(1_048_576), headers: { 'content-type': 'application/json' } },
    expect: { status: 202 },
  },
  {
    section: 'Limits',
    rule: 'One octet more is answered 413, before the body has come',
    asked: 'the head of POST /v1/jobs, Content-Length: 1048577',
    answered: '413 body-too-large',
    async run({ connect }) {
      const wire = await connect();
      wire.send(
        head('POST /v1/jobs HTTP/1.1', 'Host: api', 'Content-Type: application/json', 'Content-Length: 1048577'),
      );
      assert.equal((await wire.next()).status, 413);
    },
  },
  {
    section: 'Limits',
    rule: 'The limit of a body counts decoded bytes: a small gzip body can be too large',
    asked: 'POST /v1/jobs of 1,048,577 octets, in gzip',
    request: {
      path: '/v1/jobs',
      octets: gzipSync(bodyOf(1_048_577)),
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    },
    expect: { status: 413, problem: 'body-too-large' },
  },
  {
    section: 'Limits',
    rule: 'A client may wait for so many jobs at once (MAX_WAITERS); beyond it 429',
    asked: 'GET of a job with Prefer: wait=20, and the same once more',
    answered: '429 too-many-waiters, Retry-After; another client 200',
    async run({ ask, get, job, apis }) {
      const { id } = await job('scheduled');
      const asked = { path: `/v1/jobs/${id}`, headers: { prefer: 'wait=20' }, by: 'waiting' } as const;
      const held = ask(asked);
      await eventually(async () => assert.equal(await metric(apis.guarded, 'offload_waiters'), 1));
      const refused = await ask(asked);
      assert.deepEqual([refused.status, refused.headers['retry-after']], [429, '1']);
      assert.equal((await ask({ ...asked, by: 'another', headers: { prefer: 'wait=0' } })).status, 200);
      await get({ method: 'POST', path: `/v1/jobs/${id}/cancel` });
      assert.equal((await held).status, 200);
    },
  },
  {
    section: 'Limits',
    rule: 'A full queue accepts no more jobs: 503 with Retry-After',
    request: { path: '/v1/jobs', body: { ...sleep, queue: 'full' }, by: 'anyone' },
    expect: { status: 503, problem: 'queue-full', headers: { 'Retry-After': /^[1-9]\d*$/ } },
  },
]);

/** Limits of clients. */
export const limits = [...statuses, ...rate, ...contract];

/** A job of this many bytes. */
function bodyOf(octets: number): string {
  const of = (text: string) => JSON.stringify({ type: 'csv.profile', payload: { csv: text }, delayMs: 3_600_000 });
  return of('a'.repeat(octets - of('').length));
}
