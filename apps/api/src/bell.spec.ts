import { expect, it } from '@jest/globals';
import type { Database, OwedRing } from '@offload/database';
import { exchanges } from '@offload/job-messages';
import { SerializedJob, type Job } from '@offload/jobs';
import { BrokerUnavailableError, NotConfirmedError, type Publisher } from '@offload/messaging';
import { createLogger, createMetrics } from '@offload/process';
import { createBell } from './bell.ts';

/** A bell whose broker answers each ring as the test says. */
function setup({ mostRings }: { mostRings?: number } = {}) {
  const answers: (Error | null)[] = [];
  let published = 0;
  let sooner = 0;
  /** The queues in whose channels events went. */
  const eventsBesideRings: string[] = [];
  const publish = async (): Promise<void> => {
    published += 1;
    const error = answers.shift();
    if (error) throw error;
  };
  const lines: string[] = [];
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  log.error = ((_context: unknown, message: string) => void lines.push(message)) as typeof log.error;
  log.info = ((_context: unknown, message: string) => void lines.push(message)) as typeof log.info;
  const bell = createBell({
    database: { rings: { confirm: async () => null } } as unknown as Database,
    publisher: { publish } as unknown as Publisher,
    ringPublisher: (queue) =>
      ({
        publish: async (kind: unknown, body: unknown, to: { exchange: string }) => {
          if (to.exchange !== exchanges.events) return publish();
          eventsBesideRings.push(queue);
        },
      }) as unknown as Publisher,
    ...(mostRings !== undefined && { mostRings }),
    metrics: createMetrics(),
    log,
  });
  const owed: OwedRing = { outboxId: '1', jobId: 'job', type: 'a', queue: 'default', priority: 0, traceparent: null };
  return {
    bell,
    lines,
    eventsBesideRings,
    published: () => published,
    soon: (queue: string) => bell.ringSoon({ ...owed, outboxId: `${queue} ${(sooner += 1)}`, queue }),
    ring: (answer: Error | null, queue = 'default') => (answers.push(answer), bell.ring({ ...owed, queue })),
  };
}

const fault = 'the queue jobs.default confirms no rings: it seems to have lost the majority of its members';

it('tells which queue does not confirm its rings, once, until it confirms one', async () => {
  const { bell, lines, ring } = setup();
  await ring(null);
  expect(bell.faults()).toEqual([]);
  await ring(new NotConfirmedError('not confirmed within 10000 ms'));
  await ring(new NotConfirmedError('not confirmed within 10000 ms'));
  await ring(null, 'mail');
  expect(bell.faults()).toEqual([fault]);
  await ring(null);
  expect(bell.faults()).toEqual([]);
  expect(lines).toEqual([fault, 'the queue confirms rings again']);
});

it('names every queue that does not confirm its rings', async () => {
  const { bell, ring } = setup();
  for (const queue of ['default', 'mail']) await ring(new NotConfirmedError('not confirmed within 10000 ms'), queue);
  await ring(null, 'reports');
  expect(bell.faults()).toEqual([fault, fault.replace('default', 'mail')]);
});

it('leaves the rings of a silent queue to the relay, and no others, until the queue confirms one', async () => {
  const { bell, ring, published, soon } = setup();
  await ring(new NotConfirmedError('not confirmed within 10000 ms'));
  soon('default');
  soon('mail');
  expect([bell.isSilent('default'), bell.isSilent('mail'), published()]).toEqual([true, false, 2]);
  await ring(null);
  soon('default');
  expect([bell.isSilent('default'), published()]).toEqual([false, 4]);
});

it('sends events beside the rings of their queue, unless the queue is silent', async () => {
  const { bell, ring, eventsBesideRings } = setup();
  const queued = { id: 'job', status: 'queued', version: 1, payload: {}, result: null } as unknown as Job;
  await ring(new NotConfirmedError('not confirmed within 10000 ms'));
  for (const queue of ['default', 'mail']) await bell.announce(new SerializedJob({ ...queued, queue }));
  expect(eventsBesideRings).toEqual(['mail']);
  await ring(null);
  await bell.announce(new SerializedJob({ ...queued, queue: 'default' }));
  expect(eventsBesideRings).toEqual(['mail', 'default']);
});

it('sends events past the rings of their queue when as many are under way as may', async () => {
  const { bell, soon, eventsBesideRings } = setup({ mostRings: 2 });
  const queued = { id: 'job', status: 'queued', version: 1, payload: {}, result: null } as unknown as Job;
  for (const queue of ['default', 'default', 'mail']) soon(queue);
  for (const queue of ['default', 'mail']) await bell.announce(new SerializedJob({ ...queued, queue }));
  expect(eventsBesideRings).toEqual(['mail']);
});

it('bounds the rings under way of each queue by itself', async () => {
  const { soon, published } = setup({ mostRings: 2 });
  for (const queue of ['default', 'default', 'default', 'mail', 'mail', 'mail']) soon(queue);
  expect(published()).toBe(4);
});

it('does not blame a queue for a broker that is away', async () => {
  const { bell, lines, ring } = setup();
  await ring(new BrokerUnavailableError('not connected to the broker'));
  expect([bell.faults(), lines]).toEqual([[], []]);
});

it('sends a ring once that the relay takes while it is under way, and again when it is still in the outbox', async () => {
  const { ring, published } = setup();
  await Promise.all([ring(null), ring(null)]);
  expect(published()).toBe(1);
  await ring(null);
  expect(published()).toBe(2);
});
