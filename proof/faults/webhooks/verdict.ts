import { isDeepStrictEqual } from 'node:util';
import { failureLine } from '../failure-line.ts';
import type { FinalRow } from '../final-rows.ts';
import type { DeliveryRow } from './deliveries.ts';
import { RETRY_AFTER_SECONDS, type Hit, type Report } from './report-of-receiver.ts';
import { groupBy } from '../group-by.ts';

/** The records of the measurement. */
export interface Evidence {
  /** Number of submitted jobs, each with a webhook. */
  jobs: number;
  rows: readonly FinalRow[];
  deliveries: readonly DeliveryRow[];
  report: Report;
}

/** The result of the measurement. */
export interface Verdict {
  /** Number of webhooks that arrived again after a 2xx, and number of those requests. */
  duplicates: { webhooks: number; requests: number };
  /** Requests to a URL whose 410 was not recorded yet: they were in flight, or their sender was killed. */
  hitsBeforeGoneWasKnown: number;
  /** Number of URLs that answered 410. */
  gone: number;
  /** Failures, one line for each kind. */
  failures: string[];
}

/** Milliseconds after a recorded 410, in which requests sent before it still arrive. */
const UNDER_WAY_MS = 500;
/** Difference of two clocks with whole milliseconds. */
const CLOCK_MS = 50;

/** Judges the records. */
export function judge({ jobs, rows, deliveries, report }: Evidence): Verdict {
  const hitsOf = groupBy(report.hits, ({ id }) => id);
  const hitsAt = (delivery: DeliveryRow): readonly Hit[] => hitsOf.get(delivery.id) ?? [];
  const hitsOfUrl = groupBy(deliveries, ({ url }) => url);
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const known = new Set(deliveries.map(({ id }) => id));
  const goneAt = new Map([...hitsOfUrl].map(([url, its]) => [url, firstGone(its)]));
  const isGone = ({ url }: DeliveryRow): boolean => (goneAt.get(url) ?? Infinity) < Infinity;

  const tell = (delivery: DeliveryRow): string => {
    const answers = hitsAt(delivery).map(({ answer }) => answer);
    return `${delivery.id} (${delivery.url}, ${delivery.status}, ${delivery.attempt} attempts, ${answers.join(' ')})`;
  };
  const fail = (what: string, wrong: (delivery: DeliveryRow) => boolean): string[] =>
    failureLine(what, deliveries.filter(wrong).map(tell));
  const arrived = (delivery: DeliveryRow): boolean => hitsAt(delivery).some(({ answer }) => answer === 'delivered');

  const own = groupBy(
    deliveries.filter(({ endpoint }) => endpoint === null),
    ({ jobId }) => jobId,
  );
  const afterGone = deliveries.flatMap((delivery) => {
    const known = goneAt.get(delivery.url) ?? Infinity;
    const answered = firstAnswer(hitsOfUrl.get(delivery.url) ?? [], hitsAt);
    const later = hitsAt(delivery).filter(({ at }) => at > answered);
    return [{ delivery, late: later.filter(({ at }) => at > known + UNDER_WAY_MS).length, all: later.length }];
  });

  const failures = [
    ...(rows.length === jobs ? [] : [`${rows.length} jobs are stored, not ${jobs}`]),
    ...failureLine(
      'jobs without one webhook of their own',
      rows.filter(({ id }) => own.get(id)?.length !== 1).map(({ id }) => id),
    ),
    ...fail('webhooks still pending', ({ status }) => status === 'pending'),
    ...fail('webhooks given up without a 410', (each) => each.status === 'failed' && !isGone(each)),
    ...fail('webhooks recorded as delivered without a 2xx', (each) => {
      return each.status === 'delivered' && !arrived(each);
    }),
    ...fail('webhooks that never arrived', (each) => !isGone(each) && !arrived(each)),
    ...fail('webhooks whose 2xx the sender has not recorded, though it was not killed', (each) => {
      return taken(hitsAt(each)) - heard(each).length > unheard(each);
    }),
    ...fail('webhooks sent again after their 2xx was recorded', (each) => {
      const [first = Infinity] = heard(each);
      return hitsAt(each).some(({ at }) => at > first + UNDER_WAY_MS);
    }),
    ...fail('webhooks sent more often than recorded', (each) => hitsAt(each).length > each.attempt),
    ...fail('webhooks sent before the Retry-After was over', (each) => unheard(each) === 0 && isEarly(hitsAt(each))),
    ...fail('webhooks with other contents than the row of their job', ({ id, jobId, event }) => {
      const [says, row] = [report.told[id], rowOf.get(jobId)];
      if (!says || !row) return hitsOf.has(id);
      const { status, version, result, error } = row;
      const wanted = { type: `offload.job.${status}`, subject: jobId, status, version, result, error };
      return event !== status || !isDeepStrictEqual(says, wanted);
    }),
    ...failureLine(
      'requests after a 410',
      afterGone.filter(({ late }) => late > 0).map(({ delivery }) => tell(delivery)),
    ),
    ...failureLine(
      'requests with faults',
      report.hits.flatMap(({ id, faults = [] }) => faults.map((fault) => `${id}: ${fault}`)),
    ),
    ...failureLine(
      'webhooks without a job',
      [...hitsOf.keys()].filter((id) => !known.has(id)),
    ),
    ...(report.redirected === 0 ? [] : [`${report.redirected} redirects were followed`]),
  ];
  const again = deliveries.map((each) => againAfterDelivered(hitsAt(each))).filter((count) => count > 0);
  return {
    duplicates: { webhooks: again.length, requests: again.reduce((sum, count) => sum + count, 0) },
    hitsBeforeGoneWasKnown: afterGone.reduce((sum, { late, all }) => sum + all - late, 0),
    gone: [...goneAt.values()].filter((at) => at < Infinity).length,
    failures,
  };
}

/** Number of attempts whose answer the sender did not receive or record. */
function unheard({ attempt, log }: DeliveryRow): number {
  return attempt - log.length + log.filter(({ status }) => status === null).length;
}

/** When the sender recorded each 2xx. */
function heard({ log }: DeliveryRow): number[] {
  const entries = log.filter(({ status }) => status !== null && status >= 200 && status < 300);
  return entries.map(({ at, durationMs }) => Date.parse(at) + durationMs);
}

/** Number of 2xx of the receiver. */
function taken(hits: readonly Hit[]): number {
  return hits.filter(({ answer }) => answer === 'delivered').length;
}

function againAfterDelivered(hits: readonly Hit[]): number {
  const first = hits.findIndex(({ answer }) => answer === 'delivered');
  return first < 0 ? 0 : hits.length - 1 - first;
}

function isEarly(hits: readonly Hit[]): boolean {
  return hits.some(({ answer, at }, index) => {
    const next = hits[index + 1];
    return answer === 'slow down' && next !== undefined && next.at < at + RETRY_AFTER_SECONDS * 1_000 - CLOCK_MS;
  });
}

/** When a sender first recorded the 410 of a receiver. */
function firstGone(deliveries: readonly DeliveryRow[]): number {
  const entries = deliveries.flatMap(({ log }) => log.filter(({ status }) => status === 410));
  return Math.min(...entries.map(({ at, durationMs }) => Date.parse(at) + durationMs));
}

/** When a receiver first answered 410. */
function firstAnswer(deliveries: readonly DeliveryRow[], hitsAt: (delivery: DeliveryRow) => readonly Hit[]): number {
  const hits = deliveries.flatMap((delivery) => hitsAt(delivery).filter(({ answer }) => answer === 'gone'));
  return Math.min(...hits.map(({ at }) => at));
}
