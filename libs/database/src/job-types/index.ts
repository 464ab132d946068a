// The door @offload/database/job-types: registered job types and their workers, through `database.jobTypes`.
export type { JobTypes } from './open-job-types.ts';
export type { RegisteredType, RegisteredWorker } from './read-types.ts';
export type { Heard, Registered, RunningWorker, SchemaConflict } from './register-types.ts';
export type { Removal } from './remove-type.ts';
