import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Database, DatabaseUnavailableError, migrate, openDatabase } from '@offload/database';
import { defineJob, type JobDefinition } from '@offload/jobs/definitions';
import type { Publisher } from '@offload/messaging';
import { createLogger } from '@offload/process';
import { eventually, freshDatabaseUrl } from '@offload/spec-kit';
import { z } from 'zod';
import { register, SchemaConflictError, type RegistrationParts } from './registration.ts';

let database: Database;
beforeAll(async () => {
  const url = freshDatabaseUrl();
  await migrate(url);
  database = openDatabase({ url });
});
afterAll(() => database.close());

const define = (type: string, payload: z.ZodType = z.strictObject({ n: z.int() })): JobDefinition =>
  defineJob({ type, description: 'Of a spec', payload, result: z.null() });

/** A worker of these types, and what became of it. */
function worker(definitions: JobDefinition[], more: Partial<RegistrationParts> = {}) {
  const told: unknown[] = [];
  const failed: Error[] = [];
  let drains = 0;
  const publish = async (_kind: unknown, body: unknown, to: unknown) => void told.push([body, to]);
  const parts: RegistrationParts = {
    database,
    publisher: { publish } as unknown as Publisher,
    definitions,
    worker: { instance: `spec ${definitions[0]?.type}`, version: '1.2.3', queues: ['default'], slots: 10 },
    heartbeatMs: 10,
    log: createLogger('spec', { level: 'silent', instance: 'spec' }),
    onDrain: () => void (drains += 1),
    fail: (error) => void failed.push(error),
    ...more,
  };
  return { told, failed, drains: () => drains, instance: parts.worker.instance, start: () => register(parts) };
}

const find = async (wanted: string) => (await database.jobTypes.list()).find(({ type }) => type === wanted);
const heard = async (wanted: string) => (await database.jobTypes.workers()).find(({ instance }) => instance === wanted);

it('registers its types, publishes this to the apis, and is listed until it leaves', async () => {
  const { start, told, instance } = worker([define('spec.registered')]);
  const registration = await start();
  expect(await find('spec.registered')).toMatchObject({ version: 1, description: 'Of a spec', workers: [instance] });
  expect(told).toEqual([[{ types: ['spec.registered'] }, { exchange: 'jobs.registrations', mandatory: false }]]);
  const before = await heard(instance);
  await eventually(async () => expect((await heard(instance))?.lastHeardAt).not.toBe(before?.lastHeardAt));
  registration.drain();
  await eventually(async () => expect(await heard(instance)).toMatchObject({ draining: true }));
  await registration.leave();
  expect(await heard(instance)).toBeUndefined();
  expect(await find('spec.registered')).toMatchObject({ workers: [] });
});

it('is refused if a version has other schemas, with the differences', async () => {
  const first = await worker([define('spec.refused')]).start();
  const other = worker([define('spec.refused', z.strictObject({ n: z.string() }))]);
  await expect(other.start()).rejects.toThrow(
    new SchemaConflictError([
      {
        ...{ type: 'spec.refused', version: 1 },
        differences: [
          '/payloadSchema/properties/n/maximum is not there, and 9007199254740991 where it is registered',
          '/payloadSchema/properties/n/minimum is not there, and -9007199254740991 where it is registered',
          '/payloadSchema/properties/n/type is "string", and "integer" where it is registered',
        ],
      },
    ]),
  );
  expect(other.told).toEqual([]);
  await first.leave();
});

it('replaces other schemas where it is told to, and says once what production would do', async () => {
  const first = await worker([define('spec.replaced')]).start();
  const log = createLogger('spec', { level: 'silent', instance: 'spec' });
  const warned: unknown[] = [];
  log.warn = ((line: unknown) => void warned.push(line)) as typeof log.warn;
  const definition = define('spec.replaced', z.strictObject({ n: z.string() }));
  const { start, told, failed } = worker([definition], { replaceSchemas: true, log });
  const registration = await start();
  expect(await find('spec.replaced')).toMatchObject({ payloadSchema: { properties: { n: { type: 'string' } } } });
  expect(told).toHaveLength(1);
  expect(warned).toEqual([
    expect.stringMatching(
      /REPLACE_SCHEMAS says: spec\.replaced, version 1: .*type is "string", and "integer".*In production this worker would end/,
    ),
  ]);
  expect(failed).toEqual([]);
  await Promise.all([first.leave(), registration.leave()]);
});

it('waits for a database that is away', async () => {
  let tries = 0;
  const { jobTypes } = database;
  const away: RegistrationParts['database'] = {
    jobTypes: {
      ...jobTypes,
      register: (...given) => {
        tries += 1;
        return tries < 3 ? Promise.reject(new DatabaseUnavailableError({})) : jobTypes.register(...given);
      },
    },
  };
  const registration = await worker([define('spec.patient')], { database: away }).start();
  expect(tries).toBe(3);
  expect(await find('spec.patient')).toBeDefined();
  await registration.leave();
});

it('works without the broker', async () => {
  const publisher = { publish: () => Promise.reject(new Error('away')) } as unknown as Publisher;
  const registration = await worker([define('spec.unheard')], { publisher }).start();
  expect(await find('spec.unheard')).toBeDefined();
  await registration.leave();
});

it('registers a removed type again', async () => {
  const { start, instance } = worker([define('spec.removed')]);
  const registration = await start();
  await database.jobTypes.leave(instance);
  await database.jobTypes.remove('spec.removed'); // may come after a heartbeat, which counts as in use
  await eventually(async () => expect(await find('spec.removed')).toMatchObject({ workers: [instance] }));
  await registration.leave();
});

it('hears that it is to drain, until it does', async () => {
  const { start, drains, instance } = worker([define('spec.draining')]);
  const registration = await start();
  expect(await database.jobTypes.drain(instance)).toBe(true);
  await eventually(() => expect(drains()).toBeGreaterThan(0));
  registration.drain();
  await registration.leave();
});
