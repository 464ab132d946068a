import { expect, it } from '@jest/globals';
import type { FinalRow } from '../final-rows.ts';
import type { DeliveryRow } from './deliveries.ts';
import type { Hit } from './report-of-receiver.ts';
import { judge } from './verdict.ts';

const AT = Date.parse('2026-01-01T00:00:00Z');
const row: FinalRow = { id: 'job', status: 'succeeded', version: 3, result: 1, error: null, finishedAt: AT };
const told = { type: 'offload.job.succeeded', subject: 'job', status: 'succeeded', version: 3, result: 1, error: null };
const entry = (atMs: number, status: number | null) => ({
  at: new Date(AT + atMs).toISOString(),
  durationMs: 0,
  status,
});
const delivery: DeliveryRow = {
  ...{ id: 'w', jobId: 'job', endpoint: null, url: 'u', event: 'succeeded', status: 'delivered' },
  ...{ attempt: 1, log: [entry(10, 204)], createdAt: AT },
};
const hit = (atMs: number, answer: Hit['answer'], more: Partial<Hit> = {}): Hit => {
  return { id: 'w', at: AT + atMs, path: '/hook/1', answer, ...more };
};

function verdict(its: Partial<DeliveryRow>, hits: Hit[], more: { told?: object; redirected?: number } = {}) {
  const report = { hits, told: { w: { ...told, ...more.told } }, redirected: more.redirected ?? 0 };
  return judge({ jobs: 1, rows: [row], deliveries: [{ ...delivery, ...its }], report });
}

it('finds no failure in a webhook that was delivered once', () => {
  expect(verdict({}, [hit(5, 'delivered')])).toEqual({
    ...{ duplicates: { webhooks: 0, requests: 0 }, hitsBeforeGoneWasKnown: 0, gone: 0, failures: [] },
  });
});

it('allows and counts a webhook that arrives again because its 2xx was not recorded', () => {
  const twice = [hit(5, 'delivered'), hit(2_000, 'error'), hit(4_000, 'delivered')];
  const log = [entry(2_000, 500), entry(4_010, 204)];
  const killed = verdict({ attempt: 3, log }, twice);
  expect([killed.failures, killed.duplicates]).toEqual([[], { webhooks: 1, requests: 2 }]);
  expect(verdict({ attempt: 3, log: [entry(1_500, null), ...log] }, twice).failures).toEqual([]);
});

it('counts requests to a receiver after its 410 until a sender can record the 410', () => {
  const gone: Partial<DeliveryRow> = { status: 'failed', attempt: 2, log: [entry(12_010, 410)] };
  const found = verdict(gone, [hit(5, 'gone'), hit(12_000, 'gone')]);
  expect([found.failures, found.hitsBeforeGoneWasKnown, found.gone]).toEqual([[], 1, 1]);
});

const taken = hit(5, 'delivered');
const early = [hit(5, 'slow down'), hit(1_005, 'delivered')];
const goneTwice = [hit(5, 'gone'), hit(2_000, 'gone')];
const wrong: [what: RegExp, found: Parameters<typeof verdict>][] = [
  [/still pending/, [{ status: 'pending' }, [taken]]],
  [/given up without a 410/, [{ status: 'failed' }, [taken]]],
  [/recorded as delivered without a 2xx/, [{}, [hit(5, 'error')]]],
  [/never arrived/, [{ status: 'pending' }, []]],
  [/whose 2xx the sender has not recorded/, [{ log: [entry(5, 500)] }, [taken]]],
  [/sent again after their 2xx was recorded/, [{ attempt: 2 }, [taken, hit(2_000, 'error')]]],
  [/more often than recorded/, [{}, [taken, hit(6, 'delivered')]]],
  [/before the Retry-After/, [{ attempt: 2, log: [entry(5, 503), entry(1_010, 204)] }, early]],
  [/other contents than the row/, [{}, [taken], { told: { version: 2 } }]],
  [/other contents than the row/, [{}, [taken], { told: { type: 'offload.job.failed' } }]],
  [/other contents than the row/, [{ event: 'failed' }, [taken]]],
  [/requests after a 410/, [{ status: 'failed', attempt: 2, log: [entry(5, 410)] }, goneTwice]],
  [/with faults: w: bad/, [{}, [hit(5, 'delivered', { faults: ['bad'] })]]],
  [/without a job: x/, [{}, [taken, hit(5, 'delivered', { id: 'x' })]]],
  [/1 redirects were followed/, [{}, [taken], { redirected: 1 }]],
  [/without one webhook of their own: job/, [{ endpoint: 'audit' }, [taken]]],
];
it.each(wrong)('finds %s', (what, found) => {
  expect(verdict(...found).failures).toContainEqual(expect.stringMatching(what));
});
