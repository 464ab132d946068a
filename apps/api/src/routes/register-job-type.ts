import type { Database } from '@offload/database';
import type { SchemaConflict } from '@offload/database/job-types';
import { exchanges, registration as message } from '@offload/job-messages';
import { invalidBody, invalidMember, Problem } from '@offload/http';
import { boundedParse, jobRegistration, jobTypeName } from '@offload/jobs/definitions';
import type { Publisher } from '@offload/messaging';
import type { Logger } from '@offload/process';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { schemaFault } from '../job-types/payload-check.ts';
import { jobTypeNotFound, readJobType } from './list-job-types.ts';

/** The body of `PUT /v1/job-types/{type}`. */
export const typeRegistration = jobRegistration.omit({ type: true });

/** The path parameters of both calls. */
export const typeParameters = z.object({ type: jobTypeName });

export interface RegisterParts {
  database: Pick<Database, 'jobTypes'>;
  publisher: Publisher;
  log: Logger;
}

/**
 * `PUT /v1/job-types/{type}`: registers one version of a type, as a worker does. Answers 201 if the version is new,
 * else 200; and 409 `schema-conflict` if it is registered with other schemas.
 */
export function registerJobType({ database, ...telling }: RegisterParts): RequestHandler {
  return async (request, response) => {
    const type = typeOf(request.params['type']);
    const body = boundedParse(typeRegistration, request.body);
    if (!body.success) throw invalidBody(body.error);
    for (const member of ['payloadSchema', 'resultSchema'] as const) {
      const fault = schemaFault(body.data[member]);
      if (fault !== null) throw invalidMember(`/${member}`, `is no usable JSON Schema: ${fault}`);
    }
    const registered = await database.jobTypes.register([{ ...body.data, type }], null);
    if (registered.kind === 'conflict') throw schemaConflict(registered.conflicts);
    tell(type, telling);
    response.status(registered.isNew ? 201 : 200).json(await readJobType(type, database));
  };
}

/**
 * `DELETE /v1/job-types/{type}`: answers 204, or 409 `job-type-in-use` while a worker runs it or it has unfinished
 * jobs.
 */
export function removeJobType({ database, ...telling }: RegisterParts): RequestHandler {
  return async (request, response) => {
    const type = typeOf(request.params['type']);
    const removal = await database.jobTypes.remove(type);
    if (removal.kind === 'unknown') throw jobTypeNotFound(type);
    if (removal.kind === 'in-use') {
      const { workers } = removal;
      const why = workers.length > 0 ? `Workers run it: ${workers.join(', ')}` : 'It has unfinished jobs';
      throw new Problem(409, 'job-type-in-use', 'The job type is in use', why);
    }
    tell(type, telling);
    response.status(204).end();
  };
}

/** @throws Problem 404 if the name is invalid: no type has such a name */
function typeOf(parameter: unknown): string {
  const { success, data } = jobTypeName.safeParse(parameter);
  if (!success) throw jobTypeNotFound(String(parameter));
  return data;
}

/**
 * Publishes the registration to all apis, this one too. A lost message only costs time: apis read the table at
 * intervals.
 */
function tell(type: string, { publisher, log }: Pick<RegisterParts, 'publisher' | 'log'>): void {
  publisher
    .publish(message, { types: [type] }, { exchange: exchanges.registrations, mandatory: false })
    .catch((error: Error) => log.debug({ err: error, type }, 'registration not published'));
}

function schemaConflict(conflicts: readonly SchemaConflict[]): Problem {
  const errors = conflicts.flatMap(({ differences }) => {
    return differences.map((difference) => {
      const [pointer = '', ...words] = difference.split(' ');
      return { pointer, detail: words.join(' ') };
    });
  });
  const detail = conflicts.map(({ type, version, differences }) => {
    return `${type}, version ${version}, is registered with other schemas: ${differences.join('; ')}. Raise the version`;
  });
  return new Problem(409, 'schema-conflict', 'The version has other schemas', detail.join('. '), { errors });
}
