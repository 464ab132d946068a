import { createRequire } from 'node:module';
import type { Ajv } from 'ajv';
import type { Ajv2020 } from 'ajv/dist/2020.js';

// Loaded at the first use: a hundred specs import this library for its servers alone, and each would load ajv again.
const load = createRequire(import.meta.url);
const options = { strict: false, allErrors: true };

/** Makes an Ajv for JSON Schema draft 7, with the formats. */
export function newAjv(): Ajv {
  const { Ajv } = load('ajv') as typeof import('ajv');
  return withFormats(new Ajv(options));
}

/** Makes an Ajv for JSON Schema 2020-12, with the formats. */
export function newAjv2020(): Ajv2020 {
  const { Ajv2020 } = load('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  return withFormats(new Ajv2020(options));
}

function withFormats<Kind extends Ajv | Ajv2020>(ajv: Kind): Kind {
  const formats = load('ajv-formats') as (typeof import('ajv-formats'))['default'];
  formats.default(ajv);
  return ajv;
}
