import { newAjv2020 } from './new-ajv.ts';
import { schemaFaults } from './schema-faults.ts';

/** A request with its answer. */
export interface Exchange {
  method: string;
  /** The request's target. Its query is ignored. */
  path: string;
  status: number;
  /** Header fields by lower-case name. */
  headers: Record<string, string>;
  body: string;
}

interface Header {
  $ref?: string;
  required?: boolean;
  schema?: object;
}
interface Answer {
  $ref?: string;
  headers?: Record<string, Header>;
  content?: Record<string, { schema: object }>;
}
interface Document {
  paths: Record<string, Record<string, { responses: Record<string, Answer> }>>;
  components: { headers: Record<string, Header>; responses: Record<string, Answer>; schemas: Record<string, object> };
}

/**
 * Makes a checker for answers to the calls of an OpenAPI 3.1 document: their status, media type, headers and body. For
 * a path or method that the document does not have, only a problem is valid.
 *
 * @returns a function that finds the faults of an answer
 */
export function openApiChecker(openApi: object): (exchange: Exchange) => string[] {
  const document = openApi as Document;
  const faultsOf = schemaFaults(newAjv2020(), document, 'openapi:');
  const paths = Object.entries(document.paths).map(([path, methods]) => ({
    // A path without parameters wins over one with parameters.
    weight: path.split('{').length,
    pattern: new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`),
    methods,
  }));
  paths.sort((a, b) => a.weight - b.weight);

  function headerFaults(answer: Answer, headers: Record<string, string>): string[] {
    return Object.entries(answer.headers ?? {}).flatMap(([name, given]) => {
      const header = given.$ref ? (document.components.headers[lastOf(given.$ref)] as Header) : given;
      const text = headers[name.toLowerCase()];
      if (text === undefined) return given.required ? [`no header ${name}`] : [];
      const { type } = header.schema as { type?: string };
      return faultsOf(header.schema as object, type === 'integer' ? Number(text) : text, `header ${name}`);
    });
  }

  function bodyFaults(answer: Answer, { method, headers, body }: Exchange): string[] {
    const mediaType = headers['content-type']?.split(';')[0];
    if (!answer.content) return body === '' ? [] : ['there is a body'];
    if (answer.content['*/*']) return [];
    const content = answer.content[mediaType ?? ''];
    if (!content) return [`Content-Type is ${mediaType}`];
    if (method.toUpperCase() === 'HEAD') return body === '' ? [] : ['there is a body'];
    return faultsOf(content.schema, mediaType?.endsWith('json') ? JSON.parse(body) : body, 'body');
  }

  return (exchange) => {
    const { method, path, status, headers } = exchange;
    const name = `${method} ${path} ${status}`;
    const [target] = path.split('?') as [string];
    const verb = method.toLowerCase() === 'head' ? 'get' : method.toLowerCase();
    const operation = paths.find(({ pattern }) => pattern.test(target))?.methods[verb];
    if (!operation && verb === 'options' && status === 204) return [];
    const problem: Answer = {
      headers: { 'X-Request-Id': { required: true, schema: { type: 'string' } } },
      content: { 'application/problem+json': { schema: document.components.schemas['Problem'] as object } },
    };
    const described = operation ? operation.responses[status] : status >= 400 ? problem : undefined;
    const answer = described?.$ref ? document.components.responses[lastOf(described.$ref)] : described;
    if (!answer) return [`${name}: is not in the document`];
    return [...headerFaults(answer, headers), ...bodyFaults(answer, exchange)].map((fault) => `${name}: ${fault}`);
  };
}

const lastOf = (reference: string): string => reference.split('/').at(-1) as string;
