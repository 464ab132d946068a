import type { JsonSchema } from '@offload/jobs/definitions';
import { Ajv2020, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import { defaultsOf } from './payload-defaults.ts';
import { payloadFaults } from './payload-faults.ts';
import { regExp } from './pattern.ts';
import { uniqueItems } from './unique-items.ts';

/** Holds payloads, or results, against a schema. */
export interface SchemaCheck {
  /** @returns what is wrong with the value, or null */
  faults(value: unknown): z.ZodError | null;
  /** @returns a value without faults, with the defaults that it leaves out */
  filled(value: unknown): unknown;
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Longest text that is parsed as a URL: encoding a host of a megabyte takes a quarter of a second. */
const LONGEST_URL = 8_192;

/** What holds more values than this has its first fault told alone: to describe those of a megabyte takes seconds. */
const SMALL = 1_000;

const options: Options = {
  strict: false,
  strictNumbers: true, // refuses Infinity, which JSON.parse makes of 1e400
  meta: false,
  validateSchema: false,
  ownProperties: true, // a payload inherits `constructor`
  logger: false,
  code: { regExp },
};

function newAjv(more: Options = {}): Ajv2020 {
  const ajv = new Ajv2020({ ...options, ...more });
  ajv.removeKeyword('uniqueItems').addKeyword(uniqueItems);
  formats.default(ajv);
  // The same rule as in zod: a URL is valid if browsers parse it. So its host may be in any script.
  return ajv.addFormat('uri', (text) => text.length <= LONGEST_URL && URL.canParse(text));
}

const NAME = 'root';
const ENDLESS = 'the schema refers to itself without end';

/** Compiles a schema. @throws Error when it is no JSON Schema that can be compiled */
export function compileSchema(schema: JsonSchema): SchemaCheck {
  const ajv = newAjv().addSchema(schema, NAME);
  const validate = ajv.getSchema(NAME) as ValidateFunction;
  let thorough: ValidateFunction | undefined; // most types have nothing refused
  const fits = (fragment: string, value: unknown): boolean => ajv.getSchema(`${NAME}${fragment}`)?.(value) === true;
  const fill = defaultsOf(schema, fits);
  return {
    faults(value) {
      try {
        if (validate(value)) return null;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return new z.ZodError([{ code: 'custom', path: [], message: ENDLESS, input: value }]);
      }
      const first = validate.errors ?? [];
      if (!isSmall(value)) return payloadFaults(first);
      thorough ??= newAjv({ allErrors: true }).compile(schema);
      return payloadFaults(thorough(value) ? first : (thorough.errors ?? []));
    },
    filled: (value) => (fill ? fill(value) : value),
  };
}

/** Validates schemas themselves. Compiling this anew for each registration would stall all requests for 50 ms. */
let metaSchema: Ajv2020 | undefined;

/** @returns why the api can't hold anything against this schema, or null */
export function schemaFault(schema: JsonSchema): string | null {
  const { $schema = DIALECT } = schema;
  if ($schema !== DIALECT) return `$schema must be ${DIALECT}`;
  try {
    metaSchema ??= newAjv({ meta: true });
    if (!metaSchema.validateSchema(schema)) return metaSchema.errorsText(metaSchema.errors, { dataVar: 'schema' });
    const validate = newAjv().compile(schema);
    for (const sample of [null, true, 0, '', [], {}]) validate(sample);
    return null;
  } catch (error) {
    return error instanceof RangeError ? ENDLESS : (error as Error).message;
  }
}

function isSmall(held: unknown): boolean {
  const values = [held];
  for (let seen = 0; seen < values.length; seen += 1) {
    const value = values[seen];
    if (typeof value === 'object' && value !== null) {
      for (const name in value) {
        values.push((value as JsonSchema)[name]);
        if (values.length > SMALL) return false;
      }
    }
  }
  return true;
}
