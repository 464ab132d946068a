import { expect, it } from '@jest/globals';
import type { Database, PendingDispatch } from '@offload/database';
import { exchanges } from '@offload/job-messages';
import { SerializedJob, type Job } from '@offload/jobs';
import { BrokerUnavailableError, NotConfirmedError, type Publisher } from '@offload/messaging';
import { createLogger, createMetrics } from '@offload/process';
import { createDispatcher } from './dispatcher.ts';

/** A dispatcher whose broker answers each dispatch message as the test says. */
function setup({ mostDispatches }: { mostDispatches?: number } = {}) {
  const answers: (Error | null)[] = [];
  let published = 0;
  let sooner = 0;
  /** The queues in whose channels events went. */
  const eventsBesideDispatches: string[] = [];
  const publish = async (): Promise<void> => {
    published += 1;
    const error = answers.shift();
    if (error) throw error;
  };
  const lines: string[] = [];
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  log.error = ((_context: unknown, message: string) => void lines.push(message)) as typeof log.error;
  log.info = ((_context: unknown, message: string) => void lines.push(message)) as typeof log.info;
  const dispatcher = createDispatcher({
    database: { dispatches: { confirm: async () => null } } as unknown as Database,
    publisher: { publish } as unknown as Publisher,
    dispatchPublisher: (queue) =>
      ({
        publish: async (kind: unknown, body: unknown, to: { exchange: string }) => {
          if (to.exchange !== exchanges.events) return publish();
          eventsBesideDispatches.push(queue);
        },
      }) as unknown as Publisher,
    ...(mostDispatches !== undefined && { mostDispatches }),
    metrics: createMetrics(),
    log,
  });
  const pending: PendingDispatch = {
    outboxId: '1',
    jobId: 'job',
    type: 'a',
    queue: 'default',
    priority: 0,
    traceparent: null,
  };
  return {
    dispatcher,
    lines,
    eventsBesideDispatches,
    published: () => published,
    soon: (queue: string) => dispatcher.dispatchSoon({ ...pending, outboxId: `${queue} ${(sooner += 1)}`, queue }),
    dispatch: (answer: Error | null, queue = 'default') => (
      answers.push(answer),
      dispatcher.dispatch({ ...pending, queue })
    ),
  };
}

const fault = 'the queue jobs.default confirms no dispatch messages: it seems to have lost the majority of its members';

it('reports a queue that does not confirm its dispatch messages once, until it confirms one', async () => {
  const { dispatcher, lines, dispatch } = setup();
  await dispatch(null);
  expect(dispatcher.faults()).toEqual([]);
  await dispatch(new NotConfirmedError('not confirmed within 10000 ms'));
  await dispatch(new NotConfirmedError('not confirmed within 10000 ms'));
  await dispatch(null, 'mail');
  expect(dispatcher.faults()).toEqual([fault]);
  await dispatch(null);
  expect(dispatcher.faults()).toEqual([]);
  expect(lines).toEqual([fault, 'the queue confirms dispatch messages again']);
});

it('names every queue that does not confirm its dispatch messages', async () => {
  const { dispatcher, dispatch } = setup();
  for (const queue of ['default', 'mail'])
    await dispatch(new NotConfirmedError('not confirmed within 10000 ms'), queue);
  await dispatch(null, 'reports');
  expect(dispatcher.faults()).toEqual([fault, fault.replace('default', 'mail')]);
});

it('leaves the dispatch messages of a silent queue to the relay, and no others, until the queue confirms one', async () => {
  const { dispatcher, dispatch, published, soon } = setup();
  await dispatch(new NotConfirmedError('not confirmed within 10000 ms'));
  soon('default');
  soon('mail');
  expect([dispatcher.isSilent('default'), dispatcher.isSilent('mail'), published()]).toEqual([true, false, 2]);
  await dispatch(null);
  soon('default');
  expect([dispatcher.isSilent('default'), published()]).toEqual([false, 4]);
});

it('sends events beside the dispatch messages of their queue, unless the queue is silent', async () => {
  const { dispatcher, dispatch, eventsBesideDispatches } = setup();
  const queued = { id: 'job', status: 'queued', version: 1, payload: {}, result: null } as unknown as Job;
  await dispatch(new NotConfirmedError('not confirmed within 10000 ms'));
  for (const queue of ['default', 'mail']) await dispatcher.publishEvent(new SerializedJob({ ...queued, queue }));
  expect(eventsBesideDispatches).toEqual(['mail']);
  await dispatch(null);
  await dispatcher.publishEvent(new SerializedJob({ ...queued, queue: 'default' }));
  expect(eventsBesideDispatches).toEqual(['mail', 'default']);
});

it('sends events past the dispatch messages of their queue when as many are under way as may', async () => {
  const { dispatcher, soon, eventsBesideDispatches } = setup({ mostDispatches: 2 });
  const queued = { id: 'job', status: 'queued', version: 1, payload: {}, result: null } as unknown as Job;
  for (const queue of ['default', 'default', 'mail']) soon(queue);
  for (const queue of ['default', 'mail']) await dispatcher.publishEvent(new SerializedJob({ ...queued, queue }));
  expect(eventsBesideDispatches).toEqual(['mail']);
});

it('bounds the dispatch messages under way of each queue by itself', async () => {
  const { soon, published } = setup({ mostDispatches: 2 });
  for (const queue of ['default', 'default', 'default', 'mail', 'mail', 'mail']) soon(queue);
  expect(published()).toBe(4);
});

it('does not blame a queue for a broker that is away', async () => {
  const { dispatcher, lines, dispatch } = setup();
  await dispatch(new BrokerUnavailableError('not connected to the broker'));
  expect([dispatcher.faults(), lines]).toEqual([[], []]);
});

it('sends a dispatch message once that the relay takes while it is under way, and again when it is still in the outbox', async () => {
  const { dispatch, published } = setup();
  await Promise.all([dispatch(null), dispatch(null)]);
  expect(published()).toBe(1);
  await dispatch(null);
  expect(published()).toBe(2);
});
