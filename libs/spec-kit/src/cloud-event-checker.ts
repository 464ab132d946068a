import type { ValidateFunction } from 'ajv';
import { newAjv } from './new-ajv.ts';

const text = { type: 'string', minLength: 1 };
const optional = { type: ['string', 'null'], minLength: 1 };

/**
 * The rules of CloudEvents 1.0.2 for an event in JSON: the official JSON Schema (cloudevents/formats/cloudevents.json),
 * and the rules that only the text has. Those require a time zone, valid names of attributes and types of extensions,
 * and one kind of data. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
 */
const schema = {
  type: 'object',
  required: ['id', 'source', 'specversion', 'type'],
  properties: {
    id: text,
    source: { ...text, format: 'uri-reference' },
    specversion: { const: '1.0' },
    type: text,
    datacontenttype: { ...optional, pattern: '^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+( *;.*)?$' },
    dataschema: { ...optional, format: 'uri' },
    subject: optional,
    time: { ...optional, format: 'date-time' },
    data: {},
    data_base64: { type: ['string', 'null'], pattern: '^[A-Za-z0-9+/]*={0,2}$' },
  },
  propertyNames: { anyOf: [{ pattern: '^[a-z0-9]{1,20}$' }, { const: 'data_base64' }] },
  additionalProperties: { type: ['string', 'boolean', 'integer', 'null'] },
  not: { required: ['data', 'data_base64'] },
};

let validate: ValidateFunction | undefined;

/** Finds the faults of an event in structured JSON mode by the rules of CloudEvents 1.0. */
export function cloudEventFaults(event: unknown): string[] {
  validate ??= newAjv().compile(schema);
  if (validate(event)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}
