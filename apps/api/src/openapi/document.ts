import type { Operation } from './operation.ts';
import { operations } from './operations.ts';
import { parameterComponents, parametersOf } from './parameters.ts';
import { headerComponents, responsesOf } from './responses.ts';
import { componentSchemas, schemaOf, type Json } from '../contract/schemas.ts';
import { webhooks } from './webhooks.ts';

/** The contract of the api as OpenAPI 3.1, generated from the schemas that validate. */
export function openApiDocument(): Json {
  const responses: Json = {};
  const paths: Record<string, Json> = {};
  for (const operation of operations) {
    (paths[operation.path] ??= {})[operation.method] = describe(operation, responses);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Offload',
      version: '1',
      summary: 'Turns a slow HTTP endpoint into a fast one.',
      description:
        'Every error is `application/problem+json` (RFC 9457). Ids are UUIDv7, times RFC 3339 in UTC. Each path answers unknown methods with 405 and `Allow`, and OPTIONS with 204.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'jobs', description: 'Submit, watch and manage jobs.' },
      { name: 'workers', description: 'Job types, and the workers that run them, in any language.' },
      { name: 'webhooks', description: 'What receivers get.' },
      { name: 'system', description: 'What the system has, and how it is.' },
    ],
    paths,
    webhooks: webhooks(),
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key, where `API_KEYS` is set.' },
      },
      headers: headerComponents(),
      parameters: parameterComponents(),
      responses,
      schemas: componentSchemas(),
    },
  };
}

function tagOf(path: string): string {
  if (/^\/v1\/(workers|claims|job-types|jobs\/\{id\}\/attempts)/.test(path)) return 'workers';
  return /^\/v1\/(jobs|deliveries|event-tokens)/.test(path) ? 'jobs' : 'system';
}

function describe(operation: Operation, shared: Json): Json {
  const { id, summary, description, scope, body, path } = operation;
  return {
    operationId: id,
    summary,
    ...(description && { description }),
    tags: [tagOf(path)],
    ...(scope && { security: [{ apiKey: [scope] }, {}] }),
    parameters: parametersOf(operation),
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
    responses: responsesOf(operation, shared),
  };
}
