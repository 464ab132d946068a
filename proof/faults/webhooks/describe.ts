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
    measured: `${deliveries.length} webhooks in ${report.hits.length} requests, notifiers killed ${killed} times: ${delivered.length} delivered, ${of('failed').length} given up after a 410, ${duplicates.webhooks} sent again after a 2xx; ${spread(lateMs)}`,
    goal: 'each arrives at least once, signed; nothing is sent to a receiver after its 410',
    failures,
    section: `## Webhooks

${rows.length} jobs with a webhook each, and two configured endpoints for a tenth of them each, to receivers on four
addresses that fail by chance: they answer 500 or reset the connection (${share('error')} and ${share('reset')} of the
requests), don't answer at all (${share('hang')}), or redirect (${share('redirect')}). Others ask with Retry-After to wait
${RETRY_AFTER_SECONDS} s, or answer 410, at once or when many webhooks are pending for them. An api, two workers and three
notifiers, of which one after the other is killed with SIGKILL, and started again. Webhooks are tried again after a second;
those of a killed notifier when its lease is over. What counts is what the receivers saw: every webhook arrives unless
its receiver said 410, says what the row of its job says, verifies with each secret, has the same id and body each time,
follows no redirect, and does not come before a Retry-After is over. One that was taken and comes again must be one whose
answer its sender did not hear or did not live to write; when a 2xx or a 410 is written, no further request comes.

| | |
| --- | --- |
| jobs | ${ends.join(', ')} |
| webhooks | ${deliveries.length}: ${delivered.length} delivered, ${of('failed').length} given up because their receiver answered 410 |
| notifiers killed while webhooks were pending | ${killed} times; ${lost} attempts without a recorded outcome |
| requests | ${report.hits.length}; ${mean.toFixed(2)} attempts to a delivery, ${worst(attempts)} at most |
| came again after a 2xx | ${duplicates.webhooks}, in ${duplicates.requests} requests |
| receivers that answered 410 | ${gone}; requests that were under way meanwhile, or whose sender was killed before it could write: ${hitsBeforeGoneWasKnown} |
| from the end of the job until it was taken | ${spread(lateMs)} |
| the same of those that were taken at the first attempt | ${spread(firstMs)} (${first.length}) |
`,
  };
}
