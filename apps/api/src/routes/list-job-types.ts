import type { Database } from '@offload/database';
import type { RegisteredType } from '@offload/database/job-types';
import { Problem } from '@offload/http';
import type { JobTypeInfo } from '@offload/jobs/answers';
import type { RequestHandler } from 'express';
import { byType, currentOf } from '../job-types/job-types.ts';

/** `GET /v1/job-types`: each type with its policy, its versions, and the JSON Schemas of payload and result. */
export function listJobTypes({ database }: { database: Pick<Database, 'jobTypes'> }): RequestHandler {
  return async (_request, response) => {
    response.json({ jobTypes: byType(await database.jobTypes.list()).map(infoOf) });
  };
}

/** `GET /v1/job-types/{type}`: one type. */
export function showJobType({ database }: { database: Pick<Database, 'jobTypes'> }): RequestHandler {
  return async (request, response) => {
    response.json(await readJobType(String(request.params['type']), database));
  };
}

/** @throws Problem 404 `job-type-not-found` */
export async function readJobType(type: string, database: Pick<Database, 'jobTypes'>): Promise<JobTypeInfo> {
  const versions = byType(await database.jobTypes.list()).find(([first]) => first.type === type);
  if (!versions) throw jobTypeNotFound(type);
  return infoOf(versions);
}

export function jobTypeNotFound(type: string): Problem {
  return new Problem(404, 'job-type-not-found', 'Job type not found', `There is no job type ${type.slice(0, 200)}`);
}

function infoOf(versions: readonly RegisteredType[]): JobTypeInfo {
  const current = currentOf(versions);
  const { type, description, queue, timeoutMs, maxAttempts, backoff } = current;
  const { upgrades, ...shown } = versionOf(current);
  void upgrades; // each version has it
  return { type, description, queue, timeoutMs, maxAttempts, backoff, ...shown, versions: versions.map(versionOf) };
}

function versionOf(registered: RegisteredType): JobTypeInfo['versions'][number] {
  const { version, upgrades, payloadSchema, resultSchema, workers, lastSeenAt } = registered;
  return { version, upgrades, payloadSchema, resultSchema, workers, lastSeenAt };
}
