import type { FinalRow } from '../final-rows.ts';
import { duration, median, quantile, worst } from '../statistics.ts';
import type { Measured } from '../unit.ts';
import type { Answer } from './answers.ts';
import type { DeliveryRow } from './deliveries.ts';
import { RETRY_AFTER_SECONDS, type Report } from './report-of-receiver.ts';
import type { Verdict } from './verdict.ts';

/** The results of the measurement. */
export interface Findings extends Verdict {
  /** Number of killed notifiers. */
  killed: number;
  rows: readonly FinalRow[];
  deliveries: readonly DeliveryRow[];
  report: Report;
}

/** Describes the results, as a row of the table and as a section. */
export function describe(findings: Findings): Measured {
  const { killed, rows, deliveries, report, duplicates, gone, hitsBeforeGoneWasKnown, failures } = findings;
  const of = (status: string): DeliveryRow[] => deliveries.filter((delivery) => delivery.status === status);
  const delivered = of('delivered');
  const firstTaken = new Map<string, number>();
  for (const { id, at, answer } of report.hits) {
    if (answer === 'delivered' && !firstTaken.has(id)) firstTaken.set(id, at);
  }
  const lateMs = delivered.map(({ id, createdAt }) => Math.max(0, (firstTaken.get(id) ?? NaN) - createdAt));
  const first = delivered.filter(({ attempt }) => attempt === 1);
  const firstMs = first.map(({ id, createdAt }) => Math.max(0, (firstTaken.get(id) ?? NaN) - createdAt));
  const attempts = delivered.map(({ attempt }) => attempt);
  const mean = attempts.reduce((sum, count) => sum + count, 0) / attempts.length;
  const lost = deliveries.reduce((sum, { attempt, log }) => sum + attempt - log.length, 0);
  const share = (answer: Answer): string =>
    `${((100 * report.hits.filter((hit) => hit.answer === answer).length) / report.hits.length).toFixed(0)} %`;
  const ends = ['succeeded', 'failed', 'cancelled'].map(
    (status) => `${rows.filter((row) => row.status === status).length} ${status}`,
  );
  const spread = (ms: readonly number[]): string =>
    `${duration(median(ms))} at the median, ${duration(quantile(ms, 0.99))} for 99 %, ${duration(worst(ms))} at worst`;

  return {
    measured: `${deliveries.length} webhooks in ${report.hits.length} requests, with notifiers killed ${killed} times. Delivered: ${delivered.length}; given up after a 410: ${of('failed').length}; sent again after a 2xx: ${duplicates.webhooks}. From job to 2xx: ${spread(lateMs)}`,
    goal: 'each arrives at least once, signed; nothing is sent to a receiver after its 410',
    failures,
    section: `## Webhooks

The suite submits ${rows.length} jobs with a webhook each. Two configured endpoints match a tenth of the jobs each. The system has an
api, two workers and three notifiers. The notifiers are killed one after the other with SIGKILL, and started again. A failed
webhook is retried after a second. The webhooks of a killed notifier are retried when its lease is over.

The receivers, on four addresses, fail by chance. They answer 500 (${share('error')} of the requests), reset the connection
(${share('reset')}), send no answer (${share('hang')}), or redirect (${share('redirect')}). Others ask with Retry-After to wait
${RETRY_AFTER_SECONDS} s, or answer 410, at once or when many webhooks are pending for them.

The suite judges by the requests that the receivers got:

- Every webhook arrives, unless its receiver answered 410.
- Its content is that of the job's row, and its signature is valid for each secret.
- It has the same id and body each time.
- It follows no redirect, and does not come before a Retry-After is over.
- A webhook comes again after a 2xx only if its notifier did not receive the answer, or was killed before it could store it.
- After a notifier has stored a 2xx or a 410, no further request comes.

| | |
| --- | --- |
| jobs | ${ends.join(', ')} |
| webhooks | ${deliveries.length}: ${delivered.length} delivered, ${of('failed').length} given up because their receiver answered 410 |
| notifiers killed while webhooks were pending | ${killed} times; ${lost} attempts without a stored outcome |
| requests | ${report.hits.length}; ${mean.toFixed(2)} attempts for each delivery, ${worst(attempts)} at most |
| webhooks that came again after a 2xx | ${duplicates.webhooks}, in ${duplicates.requests} requests |
| receivers that answered 410 | ${gone}; requests under way at that time, or whose notifier was killed before it stored the 410: ${hitsBeforeGoneWasKnown} |
| from the final status of the job until the receiver's 2xx | ${spread(lateMs)} |
| the same, for webhooks delivered at the first attempt | ${spread(firstMs)} (${first.length}) |
`,
  };
}
