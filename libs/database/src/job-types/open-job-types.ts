import type { JobRegistration } from '@offload/jobs/definitions';
import type { Pool } from 'pg';
import { shareStatement } from '../share-statement.ts';
import { orUnavailable } from '../unavailable.ts';
import { listTypes, listWorkers, type RegisteredType, type RegisteredWorker } from './read-types.ts';
import {
  hearWorker,
  leaveWorker,
  registerTypes,
  type Registered,
  type RegisterOptions,
  type RunningWorker,
} from './register-types.ts';
import { removeType, type Removal } from './remove-type.ts';

/** The job types that workers have registered, and the workers: see docs/decisions/0022. */
export interface JobTypes {
  /** Registers all of them, or none where one is in conflict; `worker` is null for a program that is no worker of ours. */
  register(
    types: readonly JobRegistration[],
    worker: RunningWorker | null,
    options?: RegisterOptions,
  ): Promise<Registered>;
  /** The worker is there. @returns false where one of its types is not registered any more */
  hear(worker: RunningWorker): Promise<boolean>;
  /** The worker has ended. */
  leave(instance: string): Promise<void>;
  /** Concurrent callers share a statement. @returns each version of each type, by type, the newest first */
  list(): Promise<RegisteredType[]>;
  /** Removes all versions of a type that no worker runs and no unfinished job has. */
  remove(type: string): Promise<Removal>;
  /** @returns the workers that were heard in the last hour and have not left */
  workers(): Promise<RegisteredWorker[]>;
}

export function openJobTypes(pool: Pool): JobTypes {
  const list = shareStatement(async (asked: null[]) => {
    const types = await listTypes(pool);
    return asked.map(() => types);
  });
  return {
    register: (types, worker, options) => orUnavailable(() => registerTypes(pool, types, worker, options)),
    hear: (worker) => orUnavailable(() => hearWorker(pool, worker)),
    leave: (instance) => orUnavailable(() => leaveWorker(pool, instance)),
    list: async () => list(null),
    remove: (type) => orUnavailable(() => removeType(pool, type)),
    workers: () => orUnavailable(() => listWorkers(pool)),
  };
}
