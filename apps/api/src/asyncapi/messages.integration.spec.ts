import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Database, migrate, openDatabase } from '@offload/database';
import { addressOf, exchanges, jobEvents, registration, dispatch, dispatchQueue } from '@offload/job-messages';
import { isFinished, jobStatus, SerializedJob } from '@offload/jobs';
import { defaultPolicy } from '@offload/jobs/definitions';
import { eventOf, type JobEvent } from '@offload/jobs/events';
import { connect, consume, createPublisher, type Publisher } from '@offload/messaging';
import { createLogger, createMetrics } from '@offload/process';
import { freshDatabaseUrl } from '@offload/spec-kit';
import { asyncApiChecker, cloudEventFaults } from '@offload/spec-kit/contracts';
import { v7 as uuidv7 } from 'uuid';
import { createDispatcher, type Dispatcher } from '../dispatcher.ts';
import { channels } from './channels.ts';
import { asyncApiDocument } from './document.ts';
import { traceparentExample } from './examples.ts';
import { useObserver, type Observed } from './spec-observer.ts';

const { messageFaults } = asyncApiChecker(asyncApiDocument());
const observer = useObserver(['default', 'mail.eu']);

describe('what arrives fits the document:', () => {
  let database: Database;
  let publisher: Publisher;
  let dispatcher: Dispatcher;

  beforeAll(async () => {
    const url = freshDatabaseUrl();
    await migrate(url);
    database = openDatabase({ url });
    publisher = createPublisher(observer.broker);
    const log = createLogger('api', { level: 'silent', instance: 'spec' });
    dispatcher = createDispatcher({ database, publisher, metrics: createMetrics(), log });
  });
  afterAll(() => database?.close());

  async function newJob(queue = 'default', priority = 0) {
    const { maxAttempts, timeoutMs, backoff } = defaultPolicy;
    const policy = { maxAttempts, timeoutMs, backoff, delayMs: 0, runAt: null };
    const payload = { seconds: 1 };
    return database.jobs.create({ id: uuidv7(), type: 'demo.sleep', queue, priority, tags: ['a'], payload, ...policy });
  }

  it('dispatch messages, with and without a trace, of every queue', async () => {
    for (const [queue, traceparent] of [['default', traceparentExample] as const, ['mail.eu', null] as const]) {
      const { job, outboxId } = await newJob(queue, 7);
      await dispatcher.dispatch({ outboxId, jobId: job.id, type: job.type, queue, priority: 7, traceparent });
      const [arrived] = (await observer.take(dispatchQueue(queue), 1)) as [Observed];
      expect(messageFaults('dispatch', arrived)).toEqual([]);
      expect(arrived.payload).toEqual({ jobId: job.id, type: 'demo.sleep' });
      expect(arrived.headers).toMatchObject({ 'x-schema-version': dispatch.version });
      expect(arrived.headers['traceparent']).toBe(traceparent ?? undefined);
      expect(arrived.routingKey).toBe(queue);
    }
  });

  it('events, in every status and as progress, which are CloudEvents', async () => {
    const { job } = await newJob();
    const finishedAt = new Date().toISOString();
    for (const [index, status] of jobStatus.options.entries()) {
      const end = isFinished(status) ? { finishedAt, durationMs: 1, result: { sleptMs: 1 } } : {};
      await dispatcher.publishEvent(new SerializedJob({ ...job, status, version: index + 1, ...end }));
    }
    const progress = eventOf({ ...job, status: 'running', progress: { percent: 5, message: null } }, 'job.progress');
    await publisher.publish(jobEvents, [progress], { exchange: exchanges.events, ...addressOf(progress) });
    const arrived = await observer.take(`observed.${exchanges.events}`, jobStatus.options.length + 1);
    for (const each of arrived) {
      expect(messageFaults('event', each)).toEqual([]);
      const [event] = each.payload as [JobEvent];
      expect(cloudEventFaults(event)).toEqual([]);
      expect(each.properties['correlation_id']).toBe(event.subject);
    }
    const parameters = channels.events['parameters'] as { event: { enum: string[] } };
    expect(arrived.map(({ routingKey }) => routingKey)).toEqual(parameters.event.enum);
  });

  it('events of one kind that share a message, which is about no single job then', async () => {
    const [one, other] = [(await newJob()).job, (await newJob()).job];
    await Promise.all([one, other].map((job) => dispatcher.publishEvent(new SerializedJob(job))));
    const [shared] = await observer.take(`observed.${exchanges.events}`, 1);
    expect((shared?.payload as JobEvent[]).map(({ subject }) => subject)).toEqual([one.id, other.id]);
    expect(messageFaults('event', shared as Observed)).toEqual([]);
    expect(shared?.properties['correlation_id']).toBeUndefined();
  });

  it('an event that is sent again: the same CloudEvent id under another message id; another version has another', async () => {
    const { job } = await newJob();
    for (const version of [1, 1, 2]) await dispatcher.publishEvent(new SerializedJob({ ...job, version }));
    const arrived = await observer.take(`observed.${exchanges.events}`, 3);
    const ids = arrived.map(({ payload }) => (payload as JobEvent[])[0]?.id);
    expect(ids).toEqual([`${job.id}/1`, `${job.id}/1`, `${job.id}/2`]);
    expect(new Set(arrived.map(({ properties }) => properties['message_id'])).size).toBe(3);
  });

  it('control', async () => {
    await dispatcher.command({ command: 'cancel', jobId: uuidv7() });
    await dispatcher.command({ command: 'liveness-check' });
    const arrived = await observer.take(`observed.${exchanges.control}`, 2);
    expect(arrived.map((each) => messageFaults('control', each))).toEqual([[], []]);
    expect(arrived.map(({ routingKey }) => routingKey)).toEqual(['', '']);
  });

  it('registrations', async () => {
    const to = { exchange: exchanges.registrations, mandatory: false };
    await publisher.publish(registration, { types: ['image.resize'] }, to);
    const [arrived] = await observer.take(`observed.${exchanges.registrations}`, 1);
    expect(messageFaults('registration', arrived as Observed)).toEqual([]);
    expect(arrived?.routingKey).toBe('');
  });

  it("dead letters: a worker's, which say why, and the broker's", async () => {
    const newer = { ...dispatch, version: 99 };
    const letter = { jobId: uuidv7(), type: 'demo.sleep' };
    await publisher.publish(newer, letter, { exchange: exchanges.jobs, routingKey: 'default' });
    const worker = connect({ url: observer.url });
    const faults: string[] = [];
    worker.events.on('fault', ({ message }) => void faults.push(message));
    const deadLetters = { publisher, exchange: exchanges.dead };
    const handle = () => undefined;
    const consumers = [
      consume(worker, { queue: dispatchQueue('default'), message: dispatch, deadLetters, handle }),
      consume(worker, { queue: dispatchQueue('mail.eu'), message: dispatch, handle }), // can't say why
    ];
    await publisher.publish({ contentType: 'text/plain' }, 'ding', { exchange: exchanges.jobs, routingKey: 'mail.eu' });
    const arrived = await observer.take(exchanges.dead, 2);
    await Promise.all(consumers.map((consumer) => consumer.drain()));
    await worker.close();
    expect(faults.sort()).toEqual([expect.stringMatching(/version 99/), expect.stringMatching(/not JSON/)]);
    expect(arrived.map((each) => messageFaults('deadLetter', each))).toEqual([[], []]);
    const [ours] = arrived.filter(({ headers }) => 'x-offload-reason' in headers) as [Observed];
    expect(ours.headers).toMatchObject({
      'x-offload-reason': expect.stringContaining('99'),
      'x-offload-queue': 'default',
    });
    const [brokers] = arrived.filter(({ text }) => text === 'ding') as [Observed];
    expect(brokers.headers).toMatchObject({ 'x-death': [expect.objectContaining({ reason: 'rejected' })] });
  });
});
