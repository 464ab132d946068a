import { createRequire } from 'node:module';
import { newAjv } from './new-ajv.ts';
import { schemaFaults } from './schema-faults.ts';

/** A message as it arrived. */
export interface ArrivedMessage {
  payload: unknown;
  headers: Record<string, unknown>;
  /** AMQP properties, by the names of RabbitMQ's management API. @default not checked */
  properties?: Record<string, unknown>;
}

/** Checks an AsyncAPI document, and messages against it. */
export interface AsyncApiChecker {
  /** The faults of the document itself. */
  documentFaults(): string[];
  /** The differences between a message and the document. `name` is a message of the document's components. */
  messageFaults(name: string, message: ArrivedMessage): string[];
}

type Node = Record<string, unknown>;
interface Reference {
  $ref: string;
}
interface Document {
  channels: Record<string, { address?: string | null; parameters?: Node; messages: Record<string, Reference> }>;
  operations: Record<string, { channel: Reference; messages: Reference[] }>;
  components: { messages: Record<string, { payload: object; headers: object; 'x-amqp-properties'?: object }> };
}

/**
 * Makes a checker for an AsyncAPI 3.0 document. It compares the document with the official JSON Schema, and messages
 * with the document: payload, headers and, where it has the extension `x-amqp-properties`, AMQP properties.
 * https://www.asyncapi.com/docs/reference/specification/v3.0.0
 */
export function asyncApiChecker(asyncApi: object): AsyncApiChecker {
  const document = asyncApi as Document;
  const ajv = newAjv();
  const faultsOf = schemaFaults(ajv, document, 'asyncapi:');
  const official = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json') as object;

  return {
    documentFaults() {
      const validate = ajv.compile(official);
      const errors = validate(document) ? [] : (validate.errors ?? []);
      return [
        ...errors.map(({ instancePath, message }) => `${instancePath}: ${message}`),
        ...lostReferences(document),
        ...looseEnds(document),
      ];
    },
    messageFaults(name, { payload, headers, properties }) {
      const message = document.components.messages[name];
      if (!message) return [`${name}: is not in the document`];
      const { 'x-amqp-properties': expected } = message;
      return [
        ...faultsOf(message.payload, payload, 'payload'),
        ...faultsOf(message.headers, headers, 'headers'),
        ...(properties && expected ? faultsOf(expected, properties, 'properties') : []),
      ].map((fault) => `${name}: ${fault}`);
    },
  };
}

/** Finds broken references, which the JSON Schema does not check. */
function lostReferences(document: Document): string[] {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path as string);
  const found = (path: string): unknown =>
    path.split('/').reduce<unknown>((node, step) => (node as Node | undefined)?.[step], document);
  return references.filter((path) => typeof found(path) !== 'object').map((path) => `#/${path}: leads nowhere`);
}

/** Finds channels that lack the messages of their operations or the parameters of their addresses. */
function looseEnds({ channels, operations }: Document): string[] {
  const ofOperations = Object.entries(operations).flatMap(([name, { channel, messages }]) =>
    messages
      .filter(({ $ref }) => !$ref.startsWith(`${channel.$ref}/messages/`))
      .map(({ $ref }) => `${name}: ${$ref} is not a message of its channel`),
  );
  const ofChannels = Object.entries(channels).flatMap(([name, { address, parameters = {} }]) => {
    const named = [...(address ?? '').matchAll(/\{([^}]+)\}/g)].map(([, parameter]) => parameter as string).sort();
    const described = Object.keys(parameters).sort();
    return named.join() === described.join() ? [] : [`${name}: has the parameters ${described}, not ${named}`];
  });
  return [...ofOperations, ...ofChannels];
}
