import { describe, expect, it } from '@jest/globals';
import { jobRegistration } from '@offload/jobs/definitions';
import { eventually } from '@offload/spec-kit';
import { usePatient } from './spec-patient.ts';

const { patient, doctor, findings, create, submit, hold, answer, work, relay, remove, statusOf } = usePatient();

describe('the doctor', () => {
  it('exits with 0 where database and broker agree', async () => {
    work();
    await submit({ delayMs: 60_000 }).then(async (id) => expect(await statusOf(id)).toBe('scheduled'));
    await create({ delayMs: 60_000 });
    await patient.database.outbox.redispatchScheduled(10);
    expect(await doctor()).toMatchObject({ exitCode: 0, text: expect.stringContaining('Database and broker agree.') });
  });

  it('repairs jobs whose dispatch messages the broker has lost, and no others', async () => {
    const lost = [await submit({ lost: true }), await submit({ lost: true })];
    const sound = await submit();
    expect(await findings()).toEqual(['lost-dispatches 2', 'no-consumer 3']);
    work();
    await eventually(async () => expect(await statusOf(sound)).toBe('succeeded'));
    relay();
    const { exitCode, text } = await doctor('--repair');
    expect(text).toContain('Stored 2 lost dispatch messages of default again.');
    expect(exitCode).toBe(0);
    for (const id of lost) await eventually(async () => expect(await statusOf(id)).toBe('succeeded'));
  });

  it('reports overdue dispatch messages when no api runs', async () => {
    work();
    await submit({ lost: true });
    const { exitCode, text } = await doctor('--repair', {}, { dispatchingMs: 6_000 });
    expect(exitCode).toBe(1);
    expect(text.split('Stored 1 lost')[1]).toMatch(
      /1\. 1 dispatch message is overdue, by up to \d\.\d s.*no api is running/,
    );
  });

  it('requeues jobs of a holder that leaves two liveness checks unanswered, and of no other', async () => {
    work();
    const gone = await hold('worker-gone');
    const here = await hold('worker-here');
    await answer([here]);
    relay(); // only now: earlier, the relay would dispatch a held job to the worker above
    const before = await doctor();
    expect(before.exitCode).toBe(1);
    expect(before.text).toMatch(/1\. worker-gone holds 1 running job and did not answer the liveness check/);
    expect(before.text).not.toContain('2. ');

    const { exitCode, text } = await doctor('--repair');
    expect(text).toContain('Requeued 1 job of holders that left two liveness checks unanswered.');
    expect(exitCode).toBe(0);
    await eventually(async () => expect(await statusOf(gone.jobId)).toBe('succeeded'));
    expect(await patient.database.jobs.get(here.jobId)).toMatchObject({ status: 'running', attempt: here.attempt });
  });

  it('requeues no job of a holder that answers the second liveness check', async () => {
    work();
    const late = await hold('worker-late');
    const repairing = doctor('--repair', {}, { betweenCallsMs: 3_000 });
    await eventually(async () =>
      expect((await patient.database.queues.survey()).running[0]?.silentMs).toBeGreaterThan(1_500),
    );
    await answer([late]);
    const { exitCode, text } = await repairing;
    expect(text).toContain('Requeued no job: all holders have answered');
    expect([exitCode, await statusOf(late.jobId)]).toEqual([0, 'running']);
  });

  it('repairs scheduled jobs without a pending dispatch message', async () => {
    const jobId = await submit({ lost: true, delayMs: 600_000 });
    expect(await findings()).toEqual(['undispatched-jobs 1']);
    const { exitCode, text } = await doctor('--repair');
    expect(text).toContain('Stored 1 dispatch message of scheduled jobs again.');
    expect(exitCode).toBe(0);
    expect(await patient.database.outbox.msUntilNext()).toBeGreaterThan(500_000);
    expect(await statusOf(jobId)).toBe('scheduled');
  });

  it('declares missing queues, and dispatches their jobs again', async () => {
    const jobId = await submit();
    await remove('queues/jobs.default');
    await remove('queues/jobs.dead');
    expect(await findings()).toEqual(['missing-queue 1', 'lost-dispatches 1', 'missing-queue 0']);
    relay();
    const { text } = await doctor('--repair');
    expect(text).toContain('Declared jobs.default, jobs.dead.\nStored 1 lost dispatch message of default again.');
    work();
    await eventually(async () => expect(await statusOf(jobId)).toBe('succeeded'));
    expect(await findings()).toEqual([]);
  });

  it('reports that it cannot send a liveness check, and declares the exchange for it', async () => {
    await remove('exchanges/jobs.control');
    const { text } = await doctor();
    expect(text).toMatch(/The liveness check could not be sent.*no exchange 'jobs\.control'/);
    expect(await doctor('--repair')).toMatchObject({ exitCode: 0 });
  });

  it('finds jobs in a queue that QUEUES does not name, and leaves them', async () => {
    await submit({ queue: 'mail', lost: true });
    expect(await findings()).toEqual(['unnamed-queue 1', 'lost-dispatches 1']);
    const { exitCode, text } = await doctor('--repair');
    expect(text).toContain('Left the 1 job of mail: the broker has no jobs.mail for their dispatch messages.');
    expect(exitCode).toBe(1);
  });
});

describe('a registered job type', () => {
  it('is noted when no worker consumes its queue, without a disagreement', async () => {
    const types = { 'image.resize': 'default', 'image.crop': 'images' };
    const registrations = Object.entries(types).map(([type, queue]) =>
      jobRegistration.parse({ type, queue, payloadSchema: {} }),
    );
    await patient.database.jobTypes.register(registrations, null);
    const { exitCode, text } = await doctor();
    expect(exitCode).toBe(0);
    expect(text).toContain('Note: image.resize has the queue default, which no worker consumes');
    expect(text).toContain('Note: image.crop has the queue images, which QUEUES does not name');
  });
});

describe('the exit code', () => {
  it('is 64 and the help for a wrong command line, 0 for --help', async () => {
    expect(await doctor('--mend')).toMatchObject({ exitCode: 64, complaints: expect.stringContaining('dead-letters') });
    expect(await doctor('--help')).toMatchObject({ exitCode: 0, text: expect.stringContaining('--repair') });
  });

  it('is 78 for a wrong configuration', async () => {
    expect(await doctor('', { AMQP_URL: '' })).toMatchObject({ exitCode: 78 });
  });

  it('is 69 if a server is unreachable or refuses the credentials, in time and without printing a password', async () => {
    const broker = Object.assign(new URL(patient.vhost.amqpUrl), { password: 'secret' });
    const refused = await doctor('', { AMQP_URL: broker.href });
    expect(refused.exitCode).toBe(69);
    expect(refused.complaints).toMatch(/^The broker amqp:\/\/.* can't be reached: .*ACCESS_REFUSED/);

    const started = performance.now();
    const nowhere = { DATABASE_URL: 'postgresql://a:secret@127.0.0.1:1/x', AMQP_URL: 'amqp://a:secret@127.0.0.1:1' };
    const { exitCode, complaints } = await doctor('', nowhere);
    expect(performance.now() - started).toBeLessThan(6_000);
    expect(exitCode).toBe(69);
    expect(complaints).toMatch(
      /^The database postgresql:\/\/127\.0\.0\.1:1\/x .*ECONNREFUSED.*\nThe broker amqp:\/\/127\.0\.0\.1:1 .*ECONNREFUSED/,
    );
    expect(complaints + refused.complaints).not.toContain('secret');
  });
});
