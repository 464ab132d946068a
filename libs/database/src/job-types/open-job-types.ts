import type { JobRegistration } from '@offload/jobs/definitions';
import type { Pool } from 'pg';
import { shareStatement } from '../share-statement.ts';
import { orUnavailable } from '../unavailable.ts';
import { listTypes, listWorkers, type RegisteredType, type RegisteredWorker } from './read-types.ts';
import {
  drainWorker,
  hearHolder,
  hearWorker,
  leaveWorker,
  registerTypes,
  type Heard,
  type Registered,
  type RegisterOptions,
  type RunningWorker,
} from './register-types.ts';
import { removeType, type Removal } from './remove-type.ts';

/** The job types that workers have registered, and the workers: see docs/decisions/0022. */
export interface JobTypes {
  /** Registers all types, or none if one of them conflicts. `worker` is null if the caller is no worker. */
  register(
    types: readonly JobRegistration[],
    worker: RunningWorker | null,
    options?: RegisterOptions,
  ): Promise<Registered>;
  /** Stores that the worker runs. */
  hear(worker: RunningWorker): Promise<Heard>;
  /** Stores that the worker of this name runs, if it is registered. @returns whether it must claim no new jobs */
  hearHolder(instance: string): Promise<boolean>;
  /** Stores that the worker must claim no new jobs. @returns false if there is no such worker */
  drain(instance: string): Promise<boolean>;
  /** Removes a worker that has stopped. */
  leave(instance: string): Promise<void>;
  /** Lists each version of each type, by type, newest version first. Concurrent callers share a statement. */
  list(): Promise<RegisteredType[]>;
  /** Removes all versions of a type that no worker runs and no unfinished job has. */
  remove(type: string): Promise<Removal>;
  /** Lists the workers that were heard in the last hour and have not stopped. */
  workers(): Promise<RegisteredWorker[]>;
}

/** Makes the store of job types on a pool. */
export function openJobTypes(pool: Pool): JobTypes {
  const list = shareStatement(async (asked: null[]) => {
    const types = await listTypes(pool);
    return asked.map(() => types);
  });
  return {
    register: (types, worker, options) => orUnavailable(() => registerTypes(pool, types, worker, options)),
    hear: (worker) => orUnavailable(() => hearWorker(pool, worker)),
    hearHolder: (instance) => orUnavailable(() => hearHolder(pool, instance)),
    drain: (instance) => orUnavailable(() => drainWorker(pool, instance)),
    leave: (instance) => orUnavailable(() => leaveWorker(pool, instance)),
    list: async () => list(null),
    remove: (type) => orUnavailable(() => removeType(pool, type)),
    workers: () => orUnavailable(() => listWorkers(pool)),
  };
}
