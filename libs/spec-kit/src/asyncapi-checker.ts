import { createRequire } from 'node:module';
import { newAjv } from './new-ajv.ts';
import { schemaFaults } from './schema-faults.ts';

/** A message as it arrived. */
export interface ArrivedMessage {
  payload: unknown;
  headers: Record<string, unknown>;
  /** AMQP's, by the names of RabbitMQ's management API. @default not looked at */
  properties?: Record<string, unknown>;
}

export interface AsyncApiChecker {
  /** What is wrong with the document itself, one text a fault. */
  documentFaults(): string[];
  /** What a message has that the document does not say, or lacks; `name` is one of the document's components. */
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
 * Holds an AsyncAPI 3.0 document against its official JSON Schema, and messages against the document: payload, headers
 * and, where it has the extension `x-amqp-properties`, AMQP's properties.
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

/** The JSON Schema does not look where references lead. */
function lostReferences(document: Document): string[] {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path as string);
  const found = (path: string): unknown =>
    path.split('/').reduce<unknown>((node, step) => (node as Node | undefined)?.[step], document);
  return references.filter((path) => typeof found(path) !== 'object').map((path) => `#/${path}: leads nowhere`);
}

/** Nor that a channel has the messages of its operations, and the parameters of its address. */
function looseEnds({ channels, operations }: Document): string[] {
  const ofOperations = Object.entries(operations).flatMap(([name, { channel, messages }]) =>
    messages
      .filter(({ $ref }) => !$ref.startsWith(`${channel.$ref}/messages/`))
      .map(({ $ref }) => `${name}: ${$ref} is no message of its channel`),
  );
  const ofChannels = Object.entries(channels).flatMap(([name, { address, parameters = {} }]) => {
    const named = [...(address ?? '').matchAll(/\{([^}]+)\}/g)].map(([, parameter]) => parameter as string).sort();
    const described = Object.keys(parameters).sort();
    return named.join() === described.join() ? [] : [`${name}: has the parameters ${described}, not ${named}`];
  });
  return [...ofOperations, ...ofChannels];
}
