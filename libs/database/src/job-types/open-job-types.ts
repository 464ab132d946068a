import type { JobRegistration } from '@offload/jobs/definitions';
import type { Pool } from 'pg';
import { shareStatement } from '../share-statement.ts';
import { orUnavailable } from '../unavailable.ts';
import { listTypes, listWorkers, type RegisteredType, type RegisteredWorker } from './read-types.ts';
import { hearWorker, leaveWorker, registerTypes, type Registered, type RunningWorker } from './register-types.ts';
import { removeType, type Removal } from './remove-type.ts';

/** The job types that workers have registered, and the workers: see docs/decisions/0022. */
export interface JobTypes {
  /** Registers all types, or none if one of them conflicts. `worker` is null if the caller is no worker. */
  register(types: readonly JobRegistration[], worker: RunningWorker | null): Promise<Registered>;
  /** Stores that the worker runs. @returns false if one of its types is not registered any more */
  hear(worker: RunningWorker): Promise<boolean>;
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
    register: (types, worker) => orUnavailable(() => registerTypes(pool, types, worker)),
    hear: (worker) => orUnavailable(() => hearWorker(pool, worker)),
    leave: (instance) => orUnavailable(() => leaveWorker(pool, instance)),
    list: async () => list(null),
    remove: (type) => orUnavailable(() => removeType(pool, type)),
    workers: () => orUnavailable(() => listWorkers(pool)),
  };
}
