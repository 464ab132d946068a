import { headers, type HeaderName } from './headers.ts';
import type { Answer, Operation } from './operation.ts';
import { problems, type Slug } from '../contract/problems.ts';
import { schemaOf, type Json } from '../contract/schemas.ts';

/** The problems that each operation may answer. */
const always: Slug[] = [
  ...(['bad-request', 'request-timeout', 'uri-too-long', 'expectation-failed'] as const),
  ...(['headers-too-large', 'foreign-page', 'misdirected-request', 'internal-error'] as const),
];
/** The problems of operations that need an API key. */
const guarded: Slug[] = ['unauthorized', 'insufficient-scope', 'rate-limited', 'database-unavailable', 'overloaded'];
const limited: HeaderName[] = ['RateLimit', 'RateLimit-Policy'];

/**
 * The answers of an operation, by status.
 *
 * @param shared collects the answers with problems that several operations have
 */
export function responsesOf(operation: Operation, shared: Json): Json {
  const { answers, problems: own = [], scope } = operation;
  const slugs = [...always, ...own, ...(scope ? guarded : [])];
  if (operation.body ?? operation.query ?? operation.parameters) slugs.push('invalid-request');
  const described: Json = {};
  for (const answer of answers) described[answer.status] = answerOf(answer, scope ? limited : []);
  for (const status of new Set(slugs.map((slug) => problems[slug].status))) {
    if (described[status]) continue;
    const ofThis = slugs.filter((slug) => problems[slug].status === status);
    const name = ofThis.join('.');
    shared[name] ??= problemsOf(status, ofThis);
    described[status] = { $ref: `#/components/responses/${name}` };
  }
  return described;
}

/** The header fields of answers, for the document's components. */
export function headerComponents(): Json {
  return Object.fromEntries(
    Object.entries(headers).map(([name, [description, schema]]) => [name, { description, schema }]),
  );
}

function answerOf(
  { description, schema, example, mediaType, headers: own = [], maybe = [] }: Answer,
  more: HeaderName[],
): Json {
  return {
    description,
    headers: headersOf(own, [...maybe, ...more]),
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

const withEach: Partial<Record<number, HeaderName[]>> = {
  401: ['WWW-Authenticate'],
  429: ['Retry-After'],
  503: ['Retry-After'],
};
const withSome: Partial<Record<number, HeaderName[]>> = {
  403: ['WWW-Authenticate'], // a page of another origin needs no key
  409: ['Retry-After'],
  415: ['Accept', 'Accept-Encoding'],
  416: ['Content-Range'],
  429: limited,
};

function problemsOf(status: number, slugs: Slug[]): Json {
  const types = slugs.map((slug) => `/problems/${slug}`);
  return {
    description: slugs.map((slug) => `\`${slug}\`: ${problems[slug].meaning}`).join('\n\n'),
    headers: headersOf(withEach[status] ?? [], withSome[status] ?? []),
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

function headersOf(required: HeaderName[], others: HeaderName[]): Json {
  const own = (['X-Request-Id', ...required] as HeaderName[]).map((name) => {
    const [description, schema] = headers[name];
    return [name, { description, required: true, schema }];
  });
  return Object.fromEntries([
    ...own,
    ...others.map((name) => [name, { $ref: `#/components/headers/${name}` }]),
  ]) as Json;
}
