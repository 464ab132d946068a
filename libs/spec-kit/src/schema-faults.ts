import type { Ajv, ValidateFunction } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';

/** Says what is wrong with a value; `what` begins each fault. Nothing where it fits the schema. */
export type SchemaFaults = (schema: object, value: unknown, what: string) => string[];

/**
 * Holds values against the schemas that stand in a document, whose references (`#/components/…`) are followed. Each schema
 * is compiled once.
 *
 * @param name what the document is called among those that `ajv` knows, `openapi:` for example
 */
export function schemaFaults(ajv: Ajv | Ajv2020, document: object, name: string): SchemaFaults {
  ajv.addSchema({ ...document, $id: name }, name);
  const compiled = new Map<object, ValidateFunction>();

  function validator(schema: object): ValidateFunction {
    const known = compiled.get(schema);
    if (known) return known;
    const text = JSON.stringify(schema).replaceAll('"#/components/', `"${name}#/components/`);
    const validate = ajv.compile(JSON.parse(text) as object);
    compiled.set(schema, validate);
    return validate;
  }

  return (schema, value, what) => {
    const validate = validator(schema);
    if (validate(value)) return [];
    return (validate.errors ?? []).map((error) => `${what}${error.instancePath}: ${error.message}`);
  };
}
