import type { Database } from '@offload/database';
import type { SchemaConflict } from '@offload/database/job-types';
import { exchanges, registration as message } from '@offload/job-messages';
import { invalidBody, invalidMember, invalidParameters, Problem } from '@offload/http';
import { boundedParse, jobRegistration, jobTypeName } from '@offload/jobs/definitions';
import type { Publisher } from '@offload/messaging';
import type { Logger } from '@offload/process';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { schemaFault } from '../job-types/schema-check.ts';
import { jobTypeNotFound, readJobType } from './list-job-types.ts';

/** The body of `PUT /v1/job-types/{type}`. */
export const typeRegistration = jobRegistration.omit({ type: true });

/** The path's part of the call that registers. */
export const newTypeParameters = z.object({ type: jobTypeName });

export interface RegisterParts {
  database: Pick<Database, 'jobTypes'>;
  publisher: Publisher;
  /** Other schemas replace those that are registered under the same version. @default false */
  replaceSchemas?: boolean;
  log: Logger;
}

/**
 * `PUT /v1/job-types/{type}`: registers one version of a type, as a worker does. The answer is 201 if the version is new, else 200. It is
 * 409 `schema-conflict` if the version is registered with other schemas that may not be replaced.
 */
export function registerJobType({ database, replaceSchemas = false, ...telling }: RegisterParts): RequestHandler {
  return async (request, response) => {
    const named = newTypeParameters.safeParse(request.params);
    if (!named.success) throw invalidParameters(named.error);
    const { type } = named.data;
    const body = boundedParse(typeRegistration, request.body);
    if (!body.success) throw invalidBody(body.error);
    for (const member of ['payloadSchema', 'resultSchema'] as const) {
      const fault = schemaFault(body.data[member]);
      if (fault !== null) throw invalidMember(`/${member}`, `is no usable JSON Schema: ${fault}`);
    }
    const registered = await database.jobTypes.register([{ ...body.data, type }], null, { replace: replaceSchemas });
    if (registered.kind === 'conflict') throw schemaConflict(registered.conflicts);
    for (const { version, differences } of registered.replaced) {
      telling.log.warn(
        { type, version, differences },
        'schemas replaced, as REPLACE_SCHEMAS says: in production this would be a 409 schema-conflict',
      );
    }
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
    const { type } = await readJobType(String(request.params['type']), database);
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

/** Tells all apis, this one too. A lost message costs time alone: they read the table from time to time. */
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
