import { afterEach, expect, it } from '@jest/globals';
import type { RegisteredType } from '@offload/database/job-types';
import { jobRegistration } from '@offload/jobs/definitions';
import { createLogger, type Loop } from '@offload/process';
import { eventually } from '@offload/spec-kit';
import { createJobTypes, type JobTypesParts } from './job-types.ts';

const log = createLogger('spec', { level: 'silent', instance: 'spec' });
const loops: Loop[] = [];
afterEach(() => Promise.all(loops.splice(0).map((loop) => loop.stop())));

const row = (more: Partial<RegisteredType> = {}): RegisteredType => ({
  ...jobRegistration.parse({ type: 'image.resize', payloadSchema: { type: 'object', required: ['url'] } }),
  ...{ fingerprint: 'a', workers: [], lastSeenAt: '2026-11-21T08:00:00.000Z' },
  ...more,
});

/** The types in memory, over a table that is an array. */
function typesOver(table: RegisteredType[], more: Partial<JobTypesParts> = {}) {
  const counted = { reads: 0 };
  const list = async () => {
    counted.reads += 1;
    return [...table];
  };
  const database = { jobTypes: { list } } as unknown as JobTypesParts['database'];
  const types = createJobTypes({ database, everyMs: 3_600_000, log, ...more });
  loops.push(types);
  return { types, counted };
}

it('finds a registration whose message was lost', async () => {
  const table: RegisteredType[] = [];
  const { types } = typesOver(table, { everyMs: 5 });
  await eventually(() => expect(types.names()).toEqual([]));
  table.push(row());
  await eventually(() => expect(types.names()).toEqual(['image.resize']));
});

it('reads at once on a message, and reports the types that it has read', async () => {
  const table: RegisteredType[] = [];
  const told: unknown[] = [];
  const { types, counted } = typesOver(table, { onRead: (read) => told.push(read) });
  await eventually(() => expect(counted.reads).toBe(1));
  table.push(row({ queue: 'images' }));
  types.wake();
  await eventually(() => expect(types.find('image.resize')?.policy).toMatchObject({ queue: 'images' }));
  expect(told).toEqual([[], [{ type: 'image.resize', queue: 'images' }]]);
});

it('lists the types of each queue', async () => {
  const types = ['image.resize', 'image.crop'].map((type) => row({ type, queue: 'images' }));
  const { types: known } = typesOver([...types, row({ type: 'demo.echo' })]);
  await known.read();
  expect(Object.fromEntries(known.queues())).toEqual({
    default: ['demo.echo'],
    images: ['image.crop', 'image.resize'],
  });
});

it('follows a version whose schema was removed and registered anew', async () => {
  const table = [row()];
  const { types } = typesOver(table);
  await types.read();
  expect(types.find('image.resize')?.take({})).toHaveProperty('faults');
  table[0] = row({ fingerprint: 'b', payloadSchema: {} });
  await types.read();
  expect(types.find('image.resize')?.take({})).toEqual({ version: 1, payload: {} });
});

it('leaves payloads to the worker when it cannot compile the schema', async () => {
  const { types } = typesOver([row({ payloadSchema: { $ref: '#/$defs/none' } })]);
  await types.read();
  expect(types.find('image.resize')?.take(7)).toEqual({ version: 1, payload: 7 });
});

it('allows a result that one of the versions allows which may have made it', async () => {
  const giving = (version: number, member: string) =>
    row({ version, fingerprint: String(version), resultSchema: { type: 'object', required: [member] } });
  const { types } = typesOver([giving(3, 'c'), giving(2, 'b'), giving(1, 'a')]);
  await types.read();
  const faultsOf = (result: object, typeVersion: number) =>
    types
      .find('image.resize')
      ?.resultFaults(result, typeVersion)
      ?.issues.map(({ path }) => path.join('/')) ?? null;
  expect([faultsOf({ b: 1 }, 2), faultsOf({ c: 1 }, 1), faultsOf({ a: 1 }, 2), faultsOf({}, 1)]).toEqual([
    null,
    null,
    ['c'],
    ['c'],
  ]);
  expect(faultsOf({}, 4)).toBeNull(); // a version that is not known here
});
