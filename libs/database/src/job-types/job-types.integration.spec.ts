import { expect, it } from '@jest/globals';
import { jobRegistration, type JobRegistration } from '@offload/jobs/definitions';
import { useJobs } from '../transitions/spec-jobs.ts';
import type { RegisteredType } from './read-types.ts';
import type { RunningWorker } from './register-types.ts';

const jobs = useJobs();
const store = () => jobs.database.jobTypes;
let made = 0;

const payloadSchema = { type: 'object', properties: { width: { type: 'integer', minimum: 1 } } };

/** A type that only this test uses. */
const newType = (more: Partial<JobRegistration> = {}): JobRegistration =>
  jobRegistration.parse({ type: `spec.type-${(made += 1)}`, description: 'A type', payloadSchema, ...more });

const workerOf = (instance: string, ...types: JobRegistration[]): RunningWorker => ({
  ...{ instance, version: '1.2.3', queues: ['default'], slots: 10, draining: false },
  types: Object.fromEntries(types.map(({ type, version }) => [type, version])),
});

const listed = async (type: string): Promise<RegisteredType[]> =>
  (await store().list()).filter((each) => each.type === type);

/** Sets back when the worker was last heard. */
const silent = (instance: string, time: string) =>
  jobs.query(`update workers set last_heard_at = now() - $2::interval where instance = $1`, [instance, time]);

it('registers a worker and its types, and lists the workers of each type', async () => {
  const [one, other] = [newType(), newType({ queue: 'images', maxAttempts: 2, upgrades: true })];
  const registered = await store().register([one, other], workerOf('both', one, other));
  expect(registered).toEqual({ kind: 'registered', isNew: true, replaced: [] });
  await store().register([one], workerOf('one', one));
  const lastSeenAt = expect.stringMatching(/^\d{4}-.*Z$/);
  expect(await listed(one.type)).toEqual([
    { ...one, fingerprint: expect.any(String), workers: ['both', 'one'], lastSeenAt },
  ]);
  expect(await listed(other.type)).toMatchObject([{ ...other, workers: ['both'] }]);
});

it('lists workers with their running jobs', async () => {
  const type = newType();
  await store().register([type], workerOf('busy', type));
  const { id } = await jobs.create();
  await jobs.database.jobs.claim({
    ...{ jobId: id, dispatchId: id, redelivered: false, deliveryCount: 0, claimId: id, holder: 'busy' },
  });
  const worker = (await store().workers()).find(({ instance }) => instance === 'busy');
  const times = { startedAt: expect.any(String), lastHeardAt: expect.any(String) };
  expect(worker).toEqual({ ...workerOf('busy', type), ...times, running: 1 });
});

it('stores the policy and texts of the latest registration, also if schemas differ in texts only', async () => {
  const type = newType();
  await store().register([type], null);
  const reworded = { ...payloadSchema, title: 'A picture' };
  const later = { ...type, description: 'Other words', timeoutMs: 5, payloadSchema: reworded };
  expect(await store().register([later], null)).toEqual({ kind: 'registered', isNew: false, replaced: [] });
  expect(await listed(type.type)).toMatchObject([later]);
});

it('refuses other schemas of the same version with each difference, and stores nothing of that worker', async () => {
  const [type, fellow] = [newType(), newType()];
  await store().register([type], null);
  const wider = { type: 'object', properties: { width: { type: 'integer', minimum: 0 } } };
  const other = { ...type, description: 'Refused', payloadSchema: wider };
  expect(await store().register([fellow, other], workerOf('refused', fellow, other))).toEqual({
    kind: 'conflict',
    conflicts: [
      {
        ...{ type: type.type, version: 1 },
        differences: ['/payloadSchema/properties/width/minimum is 0, and 1 where it is registered'],
      },
    ],
  });
  expect(await listed(type.type)).toMatchObject([{ description: 'A type' }]);
  expect(await listed(fellow.type)).toEqual([]);
  expect((await store().workers()).map(({ instance }) => instance)).not.toContain('refused');
  expect(await store().register([{ ...other, version: 2 }], null)).toMatchObject({ kind: 'registered' });
  expect((await listed(type.type)).map(({ version }) => version)).toEqual([2, 1]);
});

it('replaces other schemas of the same version if the caller asks for it, and returns each difference', async () => {
  const [type, fellow] = [newType(), newType()];
  await store().register([type], null);
  const [before] = await listed(type.type);
  const other = { ...type, payloadSchema: { ...payloadSchema, required: ['width'] } };
  const worker = workerOf('replacing', other, fellow);
  expect(await store().register([other, fellow], worker, { replace: true })).toEqual({
    ...{ kind: 'registered', isNew: false },
    replaced: [
      {
        ...{ type: type.type, version: 1 },
        differences: ['/payloadSchema/required is ["width"], and not there where it is registered'],
      },
    ],
  });
  const [after] = await listed(type.type);
  expect(after).toMatchObject({ ...other, workers: ['replacing'] });
  expect(after?.fingerprint).not.toBe(before?.fingerprint);
  expect(await store().register([other], null)).toMatchObject({ kind: 'registered', replaced: [] });
  expect(await store().register([type], null)).toMatchObject({ kind: 'conflict' });
});

it('stores one of two schemas that are registered at the same moment', async () => {
  const type = newType();
  const other = { ...type, payloadSchema: {} };
  const both = await Promise.all([type, other, type, other].map((each) => store().register([each], null)));
  expect(new Set(both.map(({ kind }) => kind))).toEqual(new Set(['registered', 'conflict']));
  expect(await listed(type.type)).toHaveLength(1);
});

it('registers many workers at once', async () => {
  const types = [newType(), newType(), newType()];
  const workers = Array.from({ length: 12 }, (_, n) => workerOf(`many-${n}`, ...types));
  const orders = [types, [...types].reverse()];
  await Promise.all(workers.map((worker, n) => store().register(orders[n % 2] as JobRegistration[], worker)));
  await Promise.all(workers.map((worker) => store().hear(worker)));
  expect((await listed(types[0]?.type as string))[0]?.workers).toHaveLength(12);
});

it('counts a worker as running while it is heard, until it stops', async () => {
  const type = newType();
  const worker = workerOf('quiet', type);
  const runBy = async () => (await listed(type.type))[0]?.workers;
  await store().register([type], worker);
  await silent('quiet', '31 seconds');
  expect(await runBy()).toEqual([]);
  expect(await store().hear(worker)).toEqual({ areTypesThere: true, draining: false });
  expect(await runBy()).toEqual(['quiet']);
  await store().hear({ ...worker, draining: true });
  expect(await store().workers()).toContainEqual(expect.objectContaining({ instance: 'quiet', draining: true }));
  await store().leave('quiet');
  expect(await runBy()).toEqual([]);
});

it('tells a worker that its type is not registered any more', async () => {
  const type = newType();
  await store().register([type], workerOf('lonely', type));
  await jobs.query('delete from job_types where type = $1', [type.type]);
  expect(await store().hear(workerOf('lonely', type))).toMatchObject({ areTypesThere: false });
});

it('tells a worker that it is to drain, until it registers again', async () => {
  const type = newType();
  const worker = workerOf('leaving', type);
  expect([await store().drain('leaving'), await store().hearHolder('leaving')]).toEqual([false, false]);
  await store().register([type], worker);
  expect([await store().hearHolder('leaving'), await store().drain('leaving')]).toEqual([false, true]);
  expect([await store().hearHolder('leaving'), (await store().hear(worker)).draining]).toEqual([true, true]);
  await store().register([type], worker);
  expect((await store().hear(worker)).draining).toBe(false);
});

it.each([
  ['says who it is', (worker: RunningWorker) => store().hear(worker)],
  ['says its name alone', ({ instance }: RunningWorker) => store().hearHolder(instance)],
])('stores when a type was last seen, once a minute, if its worker %s', async (_how, hear) => {
  const type = newType();
  const worker = workerOf('seeing', type);
  await store().register([type], worker);
  const seenAt = async () => (await listed(type.type))[0]?.lastSeenAt as string;
  const first = await seenAt();
  await hear(worker);
  expect(await seenAt()).toBe(first);
  await jobs.query(`update job_types set last_seen_at = now() - interval '61 seconds' where type = $1`, [type.type]);
  await hear(worker);
  expect(Date.parse(await seenAt())).toBeGreaterThanOrEqual(Date.parse(first));
});

it('removes workers that were silent for an hour when another worker registers', async () => {
  const type = newType();
  await store().register([type], workerOf('killed', type));
  await silent('killed', '61 minutes');
  await store().register([type], workerOf('next', type));
  const instances = (await store().workers()).map(({ instance }) => instance);
  expect([instances.includes('killed'), instances.includes('next')]).toEqual([false, true]);
});

it('removes a type with all its versions once no worker runs it and no unfinished job has it', async () => {
  const type = newType();
  const later = { ...type, version: 2 };
  await store().register([type, later], workerOf('remover', later));
  expect(await store().remove(type.type)).toEqual({ kind: 'in-use', workers: ['remover'] });
  await store().leave('remover');
  const { id } = await jobs.create({ type: type.type, typeVersion: 2 });
  expect(await store().remove(type.type)).toEqual({ kind: 'in-use', workers: [] });
  await jobs.database.jobs.cancel(id);
  expect(await store().remove(type.type)).toEqual({ kind: 'removed' });
  expect([await listed(type.type), await store().remove(type.type)]).toEqual([[], { kind: 'unknown' }]);
});

it('stores with a job the version that accepted its payload', async () => {
  const id = await jobs.dispatched({ typeVersion: 3 });
  expect(await jobs.claim(id)).toMatchObject({ kind: 'claimed', typeVersion: 3 });
});
