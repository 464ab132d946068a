import type { z } from 'zod';
import { headers, type HeaderName } from './headers.ts';
import { operations, type Answer, type Operation } from './operations.ts';
import { problems, type Slug } from './problems.ts';
import { componentSchemas, schemaOf } from './schemas.ts';

type Json = Record<string, unknown>;

/** The contract of the api as OpenAPI 3.1, generated from the schemas that validate. */
export function openApiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const operation of operations) (paths[operation.path] ??= {})[operation.method] = describe(operation);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Offload',
      version: '1',
      summary: 'Turns a slow HTTP endpoint into a fast one.',
      description:
        'Every error is `application/problem+json` (RFC 9457). Ids are UUIDv7, times RFC 3339 in UTC. Any path answers 405 with `Allow` to methods that it does not have, and 204 to OPTIONS.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'jobs', description: 'Submit, watch and manage jobs.' },
      { name: 'system', description: 'What the system has, and how it is.' },
    ],
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key; none is needed where none is configured.' },
      },
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, [description, schema]]) => [name, { description, schema }]),
      ),
      parameters: Object.fromEntries(
        Object.entries(requestHeaders).map(([name, header]) => [name, parameter(name, header)]),
      ),
      responses: problemResponses,
      schemas: componentSchemas(),
    },
  };
}

function describe(operation: Operation): Json {
  const { id, summary, description, scope, body, path } = operation;
  return {
    operationId: id,
    summary,
    ...(description && { description }),
    tags: [path.startsWith('/v1/jobs') ? 'jobs' : 'system'],
    ...(scope && { security: [{ apiKey: [scope] }, {}] }),
    parameters: parameters(operation),
    ...(body && {
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: schemaOf(body.schema, 'input'),
            examples: Object.fromEntries(Object.entries(body.examples).map(([name, value]) => [name, { value }])),
          },
        },
      },
    }),
    responses: responses(operation),
  };
}

type RequestHeader = [description: string, schema: Json, example?: string];

const requestHeaders: Record<string, RequestHeader> = {
  'X-Request-Id': ['Names the request in logs and in the answer.', { type: 'string', pattern: '^[!-~]{1,128}$' }],
  Prefer: ['`wait=N`: hold the answer for N seconds at most (RFC 7240); 60 at most.', { type: 'string' }, 'wait=15'],
  'Idempotency-Key': [
    'A string in double quotes, new for each request: sent again, the same request gets the same answer and makes no second job. Kept 24 hours.',
    { type: 'string', minLength: 3, maxLength: 514, pattern: '^".+"' },
    '"8e03978e-40d5-43dd-bc93-6894a57f9324"',
  ],
  'If-None-Match': ['Answer 304 if the job still has this ETag.', { type: 'string' }, 'W/"3"'],
  traceparent: ['W3C trace context; the job carries it to its worker.', { type: 'string' }],
};

function parameter(name: string, [description, schema, example]: RequestHeader): Json {
  return { name, in: 'header', description, schema, ...(example !== undefined && { example }) };
}

function parameters({ parameters: inPath, query, takes = [], scope }: Operation): Json[] {
  const of = (place: 'path' | 'query', schema: z.ZodObject | undefined): Json[] => {
    const { properties = {}, required = [] } = schema ? schemaOf(schema, 'input') : {};
    return Object.entries(properties as Record<string, Json>).map(([name, { description, ...rest }]) => ({
      name,
      in: place,
      required: place === 'path' || (required as string[]).includes(name),
      ...(description !== undefined && { description }),
      schema: rest,
    }));
  };
  const names = scope ? [...takes, 'X-Request-Id'] : ['X-Request-Id'];
  const fields = names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
  return [...of('path', inPath), ...of('query', query), ...fields];
}

/** What any call may answer. */
const always: Slug[] = ['bad-request', 'request-timeout', 'expectation-failed', 'headers-too-large', 'internal-error'];
const guarded: Slug[] = ['unauthorized', 'insufficient-scope', 'rate-limited', 'database-unavailable'];

/** By the problems they may be: many calls have the same. */
const problemResponses: Record<string, Json> = {};

function responses(operation: Operation): Json {
  const { answers, problems: own = [], scope } = operation;
  const slugs = [...always, ...own, ...(scope ? guarded : [])];
  if (operation.body ?? operation.query ?? operation.parameters) slugs.push('invalid-request');
  const described: Record<number, Json> = {};
  for (const answer of answers) described[answer.status] = response(answer);
  for (const status of new Set(slugs.map((slug) => problems[slug].status))) {
    if (described[status]) continue;
    const ofThis = slugs.filter((slug) => problems[slug].status === status);
    const name = ofThis.join('.');
    problemResponses[name] ??= problemResponse(ofThis);
    described[status] = { $ref: `#/components/responses/${name}` };
  }
  return described;
}

function headersOf(always: HeaderName[], maybe: HeaderName[]): Json {
  const entry = (name: HeaderName, required: boolean) => {
    const [description, schema] = headers[name];
    return [name, required ? { description, required, schema } : { $ref: `#/components/headers/${name}` }];
  };
  return Object.fromEntries([
    ...(['X-Request-Id', ...always] as HeaderName[]).map((name) => entry(name, true)),
    ...maybe.map((name) => entry(name, false)),
  ]);
}

function response({ description, schema, example, mediaType, headers: names = [], maybe = [] }: Answer): Json {
  return {
    description,
    headers: headersOf(names, maybe),
    ...(schema && {
      content: {
        [mediaType ?? 'application/json']: {
          schema: schemaOf(schema, 'output'),
          ...(example !== undefined && { example }),
        },
      },
    }),
  };
}

const ofStatus: Partial<Record<number, HeaderName[]>> = { 401: ['WWW-Authenticate'], 403: ['WWW-Authenticate'] };
const maybeOfStatus: Partial<Record<number, HeaderName[]>> = {
  409: ['Retry-After'],
  415: ['Accept', 'Accept-Encoding'],
};
const retried = [429, 503];

function problemResponse(slugs: Slug[]): Json {
  const { status } = problems[slugs[0] as Slug];
  const types = slugs.map((slug) => `/problems/${slug}`);
  return {
    description: slugs.map((slug) => `\`${slug}\`: ${problems[slug].meaning}`).join('\n\n'),
    headers: headersOf(
      [...(ofStatus[status] ?? []), ...(retried.includes(status) ? (['Retry-After'] as const) : [])],
      maybeOfStatus[status] ?? [],
    ),
    content: {
      'application/problem+json': {
        schema: {
          allOf: [
            { $ref: '#/components/schemas/Problem' },
            { properties: { type: { enum: types }, status: { const: status } } },
          ],
        },
      },
    },
  };
}
