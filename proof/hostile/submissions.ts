import fc, { type Arbitrary } from 'fast-check';
import { schemaAt, type Document } from './document.ts';
import { fromSchema, type Schema } from './from-schema.ts';
import { spoiling, spoilt, valueText } from './odd-json.ts';

/** Texts of bodies of `POST /v1/jobs` and `POST /v1/jobs/batch`. */
export interface Submissions {
  /** Jobs, most of which the contract accepts. */
  job: Arbitrary<unknown>;
  /** JSON, valid or changed. */
  jobText: Arbitrary<string>;
  batchText: Arbitrary<string>;
}

/** Few keys, so that jobs share them. */
const dedupeKey = fc.integer({ min: 1, max: 9 }).map((number) => `twin-${number}`);

/** Makes jobs of each type, with a payload from its schema in the document. */
export function submissionsFrom(document: Document): Submissions {
  const resolve = (reference: string): Schema => schemaAt(document, reference);
  const { properties = {} } = resolve('JobSubmission');
  const types = Object.keys(document.components.schemas)
    .filter((name) => name.endsWith('.payload'))
    .map((name) => name.replace(/\.payload$/, ''));
  const optional = Object.entries(properties).filter(([name]) => !['type', 'payload', 'delayMs'].includes(name));
  const rest = Object.fromEntries(optional.map(([name, schema]) => [name, fromSchema(schema, resolve)]));
  const named = { queue: fc.constantFrom('default', 'mail', 'nowhere'), dedupeKey };

  const job = fc.oneof(
    ...types.map((type) =>
      fc
        .tuple(
          payloadOf(type, resolve(`${type}.payload`), resolve),
          fc.record({ ...rest, ...named }, { requiredKeys: [] }),
          fc.option(fc.integer({ min: 0, max: 365 * 86_400_000 }), { nil: undefined, freq: 2 }),
          fc.nat(3),
        )
        .map(([payload, more, delayMs, few]) => ({
          ...{ type, payload },
          ...(few === 0 ? more : {}), // each of so many has its own way to be wrong
          ...(delayMs !== undefined && { delayMs }),
        })),
    ),
  );
  const jobText = fc.oneof(
    { arbitrary: job.map((value) => JSON.stringify(value)), weight: 3 },
    {
      arbitrary: fc.tuple(job, fc.array(spoiling, { minLength: 1, maxLength: 3 })).map((both) => spoilt(...both)),
      weight: 6,
    },
    { arbitrary: valueText, weight: 1 },
  );
  const batch = fc.array(job, { maxLength: 6 }).map((jobs) => ({ jobs }));
  const batchText = fc.oneof(
    { arbitrary: batch.map((value) => JSON.stringify(value)), weight: 60 },
    {
      arbitrary: fc.tuple(batch, fc.array(spoiling, { minLength: 1, maxLength: 3 })).map((both) => spoilt(...both)),
      weight: 80,
    },
    { arbitrary: fc.array(jobText, { maxLength: 4 }).map((texts) => `{"jobs":[${texts.join(',')}]}`), weight: 40 },
    { arbitrary: fc.constantFrom(1_000, 1_001).map(manyJobs), weight: 1 },
  );
  return { job, jobText, batchText };
}

/** Makes a payload. The document can't express that a CSV is given either as text or by URL. */
function payloadOf(type: string, schema: Schema, resolve: (reference: string) => Schema): Arbitrary<unknown> {
  if (type !== 'csv.profile') return fromSchema(schema, resolve);
  const csv = fc.oneof(
    { arbitrary: fc.string({ unit: 'binary', maxLength: 100 }), weight: 8 },
    { arbitrary: fc.constantFrom(1_000, 40_000).map((rows) => 'a,b\n'.repeat(rows)), weight: 1 },
  );
  const { url } = schema.properties ?? {};
  return fc.oneof(fc.record({ csv }), fc.record({ url: fromSchema(url ?? {}, resolve) }));
}

function manyJobs(count: number): string {
  return `{"jobs":[${Array(count).fill('{"type":"demo.sleep","payload":{}}').join(',')}]}`;
}
