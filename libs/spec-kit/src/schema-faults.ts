import type { Ajv, ValidateFunction } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';

/** Finds the faults of a value by a schema. Each fault begins with `what`. */
export type SchemaFaults = (schema: object, value: unknown, what: string) => string[];

/**
 * Makes a function that checks values by the schemas of a document, and follows their references (`#/components/…`).
 * Each schema is compiled once.
 *
 * @param name name of the document in `ajv`, for example `openapi:`
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
