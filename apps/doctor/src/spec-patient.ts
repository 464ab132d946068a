import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach } from '@jest/globals';
import { type Database, type HeldJob, migrate, type NewJob, openDatabase } from '@offload/database';
import { control, exchanges, jobTopology, dispatch, dispatchQueue } from '@offload/job-messages';
import { defaultPolicy } from '@offload/jobs/definitions';
import { connect, type Connection, consume, createPublisher, type Publisher, subscribe } from '@offload/messaging';
import { eventually, freshDatabaseUrl, freshVhost, type FreshVhost, manage } from '@offload/spec-kit';
import { runDoctor } from './doctor.ts';
import type { Patience } from './patience.ts';

/** Short times, because all servers are on this machine. */
const hasty = { connectMs: 2_000, lookMs: 500, betweenCallsMs: 1_500, settledMs: 0, dispatchingMs: 2_000 };

/** Gives each test a system without processes. The test acts as api and worker itself. */
export function usePatient() {
  const ending: (() => Promise<unknown>)[] = [];
  const patient = {} as {
    url: string;
    vhost: FreshVhost;
    database: Database;
    broker: Connection;
    publisher: Publisher;
  };
  beforeEach(async () => {
    const url = freshDatabaseUrl();
    await migrate(url);
    const vhost = await freshVhost();
    const database = openDatabase({ url, dispatchGraceMs: 0 });
    const broker = connect({ url: vhost.amqpUrl, topology: jobTopology(['default']) });
    broker.events.on('fault', () => undefined); // messages that a handler rejects are part of the test
    const publisher = createPublisher(broker);
    await broker.opened;
    Object.assign(patient, { url, vhost, database, broker, publisher });
  });
  afterEach(async () => {
    await Promise.all(ending.splice(0).map((end) => end()));
    await patient.broker.close();
    await patient.vhost.remove();
    await patient.database.close();
  });

  /** Runs the doctor. */
  async function doctor(line = '', env: NodeJS.ProcessEnv = {}, patience: Partial<Patience> = {}) {
    const said: string[] = [];
    const complaints: string[] = [];
    const exitCode = await runDoctor(line.split(' ').filter(Boolean), {
      env: { DATABASE_URL: patient.url, AMQP_URL: patient.vhost.amqpUrl, ...env },
      root: '/nowhere',
      print: (text) => void said.push(text),
      complain: (text) => void complaints.push(text),
      patience: { ...hasty, ...patience },
    });
    return { exitCode, text: said.join('\n'), complaints: complaints.join('\n') };
  }
  /** The findings of the doctor, as `code count`. */
  async function findings(line = '--json'): Promise<string[]> {
    const { text } = await doctor(line);
    const { findings: found } = JSON.parse(text) as { findings: { code: string; count: number }[] };
    return found.map(({ code, count }) => `${code} ${count}`);
  }

  /** Creates a job; its dispatch message is pending. */
  async function create(more: Partial<NewJob> = {}) {
    const { maxAttempts, timeoutMs, backoff } = defaultPolicy;
    const given = { type: 'demo.sleep', queue: 'default', priority: 0, tags: [], payload: {}, delayMs: 0, runAt: null };
    return patient.database.jobs.create({ id: randomUUID(), ...given, maxAttempts, timeoutMs, backoff, ...more });
  }
  /** Creates a job and dispatches it as the api does. With `lost`, only the database records the dispatch. */
  async function submit({ lost = false, ...more }: Partial<NewJob> & { lost?: boolean } = {}): Promise<string> {
    const { job, outboxId } = await create(more);
    if (!lost) await sendDispatch(job);
    await patient.database.outbox.confirm(outboxId);
    return job.id;
  }
  const sendDispatch = ({ id, type, queue }: { id: string; type: string; queue: string }) =>
    patient.publisher.publish(dispatch, { jobId: id, type }, { exchange: exchanges.jobs, routingKey: queue });

  /** Makes a job that this holder has been running for a while. */
  async function hold(holder: string): Promise<HeldJob> {
    const jobId = await submit({ lost: true });
    const delivery = { jobId, dispatchId: randomUUID(), redelivered: false, deliveryCount: 0, claimId: randomUUID() };
    const claim = await patient.database.jobs.claim({ ...delivery, holder });
    if (claim.kind !== 'claimed') throw new Error(claim.kind);
    await eventually(async () => {
      const { running } = await patient.database.queues.survey();
      if (!running.some(({ id, silentMs }) => id === jobId && silentMs > 500)) throw new Error('not yet');
    });
    return { jobId, attempt: claim.job.attempt };
  }
  /** Starts a worker that answers liveness checks with these jobs. */
  const answer = (held: HeldJob[]) =>
    new Promise<void>((resolve) => {
      const handle = async (): Promise<void> => void (await patient.database.jobs.hold(held));
      subscribe(patient.broker, { exchange: exchanges.control, message: control, handle, onListening: resolve });
    });

  /** Starts a worker that finishes every job at once. */
  function work(queue = 'default'): void {
    const consumer = consume(patient.broker, {
      queue: dispatchQueue(queue),
      message: dispatch,
      async handle({ body: { jobId }, messageId: dispatchId = '', redelivered, deliveryCount }) {
        const delivery = { jobId, dispatchId, redelivered, deliveryCount, claimId: randomUUID(), holder: 'spec' };
        const claim = await patient.database.jobs.claim(delivery);
        if (claim.kind !== 'claimed') return;
        const outcome = { status: 'succeeded', result: null } as const;
        await patient.database.jobs.settle({ jobId, attempt: claim.job.attempt, outcome });
      },
    });
    ending.push(() => consumer.drain());
  }
  /** Starts an api that sends pending dispatch messages. */
  function relay(): void {
    const over = new AbortController();
    const running = (async () => {
      for (; !over.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 50))) {
        for (const { outboxId, jobId: id, ...pending } of await patient.database.outbox.takeDue(100, 5_000)) {
          await sendDispatch({ id, ...pending });
          await patient.database.outbox.confirm(outboxId);
        }
      }
    })();
    ending.push(async () => {
      over.abort();
      await running;
    });
  }

  /** Removes something by the management API: `queues/jobs.default`, `queues/jobs.default/contents`. */
  const remove = (what: string) => {
    const [kind, ...name] = what.split('/');
    return manage('DELETE', `/api/${kind}/${patient.vhost.name}/${name.join('/')}`);
  };
  const statusOf = async (jobId: string) => (await patient.database.jobs.get(jobId))?.status;
  return { patient, doctor, findings, create, submit, hold, answer, work, relay, remove, statusOf };
}
