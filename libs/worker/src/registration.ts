import type { JobTypes, RunningWorker, SchemaConflict } from '@offload/database/job-types';
import { exchanges, registration as message } from '@offload/job-messages';
import { type JobDefinition, registrationOf } from '@offload/jobs/definitions';
import type { Publisher } from '@offload/messaging';
import { type Logger, type Loop, startLoop } from '@offload/process';
import { persist } from './persist.ts';

/**
 * Interval of the worker's heartbeat in the table, in milliseconds. After 30 seconds without it the worker counts as
 * gone.
 */
const HEARTBEAT_MS = 10_000;

export interface RegistrationParts {
  database: { jobTypes: Pick<JobTypes, 'register' | 'hear' | 'leave'> };
  publisher: Publisher;
  definitions: readonly JobDefinition[];
  worker: Omit<RunningWorker, 'types' | 'draining'>;
  /** Other schemas under the same version replace those that are registered: see REPLACE_SCHEMAS. @default false */
  replaceSchemas?: boolean;
  /** @default 10_000 */
  heartbeatMs?: number;
  log: Logger;
  /** Told when the worker is to take no new jobs, finish those that it has, and end. Told again until {@link Registration.drain}. */
  onDrain(): void;
  /** Is called when the worker's types can't be registered again after a client removed them. */
  fail(error: Error): void;
}

/** The registration of a worker and its job types. */
export interface Registration {
  /** Notes that the worker claims no new jobs. */
  drain(): void;
  /** Removes the worker. Never rejects: a row that stays counts as a killed worker. */
  leave(): Promise<void>;
}

/** A job type is registered with other schemas under the same version. */
export class SchemaConflictError extends Error {
  override name = 'SchemaConflictError';
  readonly code = 'schema-conflict';

  constructor(conflicts: readonly SchemaConflict[]) {
    super(
      `job types are registered with other schemas: ${differencesOf(conflicts)}. Raise the version, and give an upgrade`,
    );
  }
}

function differencesOf(conflicts: readonly SchemaConflict[]): string {
  const each = conflicts.map(({ type, version, differences }) => {
    return `${type}, version ${version}: ${differences.join('; ')}`;
  });
  return each.join('. ');
}

function replacedWarning(conflicts: readonly SchemaConflict[]): string {
  return (
    `schemas replaced, as REPLACE_SCHEMAS says: ${differencesOf(conflicts)}. In production this worker would end: ` +
    'raise the version there, and give an upgrade'
  );
}

/**
 * Registers the worker and its job types, publishes the registration to the apis, and sends heartbeats from then on.
 * Resolves when the types are in the table. Waits while the database is away.
 *
 * @throws SchemaConflictError
 */
export async function register(parts: RegistrationParts): Promise<Registration> {
  const { database, publisher, definitions, replaceSchemas = false, log, fail, onDrain } = parts;
  const { heartbeatMs = HEARTBEAT_MS } = parts;
  const registrations = definitions.map(registrationOf);
  const types = Object.fromEntries(definitions.map(({ type, version }) => [type, version]));
  const worker: RunningWorker = { ...parts.worker, types, draining: false };

  async function tryToRegister(): Promise<void> {
    const registered = await database.jobTypes.register(registrations, worker, { replace: replaceSchemas });
    if (registered.kind === 'conflict') throw new SchemaConflictError(registered.conflicts);
    if (registered.replaced.length > 0) log.warn(replacedWarning(registered.replaced));
    // Not waited for, and lost where the broker is away for long: apis read the table from time to time.
    publisher
      .publish(message, { types: Object.keys(types) }, { exchange: exchanges.registrations, mandatory: false })
      .catch((error: Error) => log.debug({ err: error }, 'registration not published'));
  }

  async function beat(): Promise<number> {
    const { areTypesThere, draining } = await database.jobTypes.hear(worker);
    if (draining && !worker.draining) onDrain();
    if (!areTypesThere) {
      await tryToRegister().catch((error: unknown) => {
        if (error instanceof SchemaConflictError) return fail(error);
        throw error;
      });
    }
    return heartbeatMs;
  }

  await persist(tryToRegister, [], (error) => log.warn({ err: error }, 'job types are not registered yet'));
  log.info({ types }, 'job types registered');
  const heartbeat: Loop = startLoop({ name: 'heartbeat', round: beat, retryMs: 1_000, log });
  return {
    drain() {
      worker.draining = true;
      heartbeat.wake();
    },
    async leave() {
      await heartbeat.stop();
      await database.jobTypes
        .leave(worker.instance)
        .catch((error: Error) => log.debug({ err: error }, 'registration not removed'));
    },
  };
}
