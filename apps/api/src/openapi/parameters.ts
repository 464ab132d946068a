import type { z } from 'zod';
import type { Operation } from './operation.ts';
import { schemaOf, type Json } from '../contract/schemas.ts';

/** Header fields of requests. No examples: the page at /docs would send them. */
const fields: Record<string, [description: string, schema: Json]> = {
  'X-Request-Id': ["The request's id in logs and in the answer.", { type: 'string', pattern: '^[!-~]{1,128}$' }],
  Prefer: [
    '`wait=15`: the api answers when the job is finished, after 15 seconds at most (RFC 7240). The longest wait is 60.',
    { type: 'string' },
  ],
  'Idempotency-Key': [
    'A string in double quotes, such as `"8e03978e-40d5"`, new for each request. When the client sends the same request again, it gets the same answer, and the api makes no second job. The api keeps the key for 24 hours.',
    { type: 'string', minLength: 3, maxLength: 514, pattern: '^".+"' },
  ],
  'If-None-Match': ['The api answers 304 if the job still has this ETag, such as `W/"3"`.', { type: 'string' }],
  traceparent: ['W3C trace context; the api passes it to the worker of the job.', { type: 'string' }],
};

/** The fields, for the document's components. */
export function parameterComponents(): Json {
  const described = Object.entries(fields).map(([name, [description, schema]]) => [
    name,
    { name, in: 'header', description, schema },
  ]);
  return Object.fromEntries(described) as Json;
}

/** The parameters and header fields of an operation. */
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
