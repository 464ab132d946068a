import { findJobDefinition, jobTypes } from '@offload/jobs/job-types';
import type { RequestHandler } from 'express';
import { z } from 'zod';

/** `GET /v1/job-types`: each type with its policy and the JSON Schemas of what goes in and comes out. */
export function listJobTypes(): RequestHandler {
  const body = {
    jobTypes: jobTypes.flatMap((type) => {
      const definition = findJobDefinition(type);
      if (!definition) return [];
      const { description, payload, result, policy } = definition;
      return [
        {
          type,
          description,
          ...policy,
          payloadSchema: z.toJSONSchema(payload, { io: 'input' }),
          resultSchema: z.toJSONSchema(result, { io: 'output' }),
        },
      ];
    }),
  };
  return (_request, response) => void response.json(body);
}
