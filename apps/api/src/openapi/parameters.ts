import type { z } from 'zod';
import type { Operation } from './operation.ts';
import { schemaOf, type Json } from '../contract/schemas.ts';

/** Header fields of requests. No examples: the page at /docs would send them. */
const fields: Record<string, [description: string, schema: Json]> = {
  'X-Request-Id': ['Names the request in logs and in the answer.', { type: 'string', pattern: '^[!-~]{1,128}$' }],
  Prefer: ['`wait=15`: hold the answer for 15 seconds at most (RFC 7240); 60 at most.', { type: 'string' }],
  'Idempotency-Key': [
    'A string in double quotes, `"8e03978e-40d5"` say, new for each request: sent again, the same request gets the same answer and makes no second job. Kept 24 hours.',
    { type: 'string', minLength: 3, maxLength: 514, pattern: '^".+"' },
  ],
  'If-None-Match': ['Answer 304 if the job still has this ETag, `W/"3"` say.', { type: 'string' }],
  traceparent: ['W3C trace context; the job carries it to its worker.', { type: 'string' }],
};

/** The fields, for the document's components. */
export function parameterComponents(): Json {
  const described = Object.entries(fields).map(([name, [description, schema]]) => [
    name,
    { name, in: 'header', description, schema },
  ]);
  return Object.fromEntries(described) as Json;
}

/** What a call takes beside its body. */
export function parametersOf({ parameters, query, takes = [] }: Operation): Json[] {
  const names = [...takes, 'X-Request-Id'];
  return [
    ...ofSchema('path', parameters),
    ...ofSchema('query', query),
    ...names.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

function ofSchema(place: 'path' | 'query', schema: z.ZodObject | undefined): Json[] {
  const { properties = {}, required = [] } = schema ? schemaOf(schema, 'input') : {};
  return Object.entries(properties as Record<string, Json>).map(([name, { description, ...rest }]) => ({
    name,
    in: place,
    required: place === 'path' || (required as string[]).includes(name),
    ...(description !== undefined && { description }),
    schema: rest,
  }));
}
