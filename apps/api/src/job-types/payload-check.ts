import type { JsonSchema } from '@offload/jobs/definitions';
import { Ajv2020, type Options, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';
import { defaultsOf } from './payload-defaults.ts';
import { payloadFaults } from './payload-faults.ts';
import { regExp } from './pattern.ts';

/** Checks payloads by a schema. */
export interface PayloadCheck {
  /** @returns the faults of the payload, or null */
  faults(payload: unknown): z.ZodError | null;
  /** @returns the valid payload, with the defaults of missing members */
  filled(payload: unknown): unknown;
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';

/** Longest text that is parsed as a URL: encoding a host of a megabyte takes a quarter of a second. */
const LONGEST_URL = 8_192;

/**
 * A payload with more values than this gets its first fault only: describing all faults of a megabyte takes seconds.
 */
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
  formats.default(ajv);
  // The same rule as in zod: a URL is valid if browsers parse it. So its host may be in any script.
  return ajv.addFormat('uri', (text) => text.length <= LONGEST_URL && URL.canParse(text));
}

const NAME = 'payload';
const ENDLESS = 'the schema refers to itself without end';

/** Compiles a payload's schema. @throws Error when it is no JSON Schema that can be compiled */
export function compilePayload(schema: JsonSchema): PayloadCheck {
  const ajv = newAjv().addSchema(schema, NAME);
  const validate = ajv.getSchema(NAME) as ValidateFunction;
  let thorough: ValidateFunction | undefined; // compiled late: most types never refuse a payload
  const fits = (fragment: string, value: unknown): boolean => ajv.getSchema(`${NAME}${fragment}`)?.(value) === true;
  const fill = defaultsOf(schema, fits);
  return {
    faults(payload) {
      try {
        if (validate(payload)) return null;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return new z.ZodError([{ code: 'custom', path: [], message: ENDLESS, input: payload }]);
      }
      const first = validate.errors ?? [];
      if (!isSmall(payload)) return payloadFaults(first);
      thorough ??= newAjv({ allErrors: true }).compile(schema);
      return payloadFaults(thorough(payload) ? first : (thorough.errors ?? []));
    },
    filled: (payload) => (fill ? fill(payload) : payload),
  };
}

/** Validates schemas themselves. Compiling this anew for each registration would stall all requests for 50 ms. */
let metaSchema: Ajv2020 | undefined;

/** @returns why the api cannot check payloads by this schema, or null */
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

function isSmall(payload: unknown): boolean {
  const values = [payload];
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
