import { z } from 'zod';
import { httpUrl } from '../members/http-url.ts';
import { defineJob } from '../definitions/job-definition.ts';

const column = z.strictObject({
  name: z.string().describe('Name in the header; "column 3" for the third column where the header has none.'),
  type: z.enum(['empty', 'integer', 'number', 'boolean', 'date', 'string']),
  empty: z.int().nonnegative(),
  distinct: z.int().nonnegative(),
  min: z.union([z.number(), z.string()]).nullable(),
  max: z.union([z.number(), z.string()]).nullable(),
  mean: z.number().nullable(),
  quantiles: z.strictObject({ p25: z.number(), p50: z.number(), p75: z.number() }).nullable(),
  top: z.array(z.strictObject({ value: z.string(), count: z.int().positive() })),
});

/** Describes each column of a CSV: its type, gaps, spread and most frequent values. */
export const csvProfile = defineJob({
  type: 'csv.profile',
  description: 'Profiles a CSV, given in the payload or by URL: type, gaps, spread and top values of each column.',
  payload: z
    .strictObject({
      csv: z.string().optional().describe('The CSV itself; its first line names the columns.'),
      url: httpUrl.optional().describe('Where to download the CSV from; UTF-8 or UTF-16, at most 64 MiB.'),
      separator: z
        .string()
        .regex(/^[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x7f]$/, 'must be one ASCII character, no quote and no line break')
        .optional()
        .describe('Separator of the fields. If absent, the handler detects comma, tab, semicolon or pipe.'),
    })
    .refine(({ csv, url }) => (csv === undefined) !== (url === undefined), 'must have either csv or url')
    .meta({ oneOf: [{ required: ['csv'] }, { required: ['url'] }] }),
  result: z.strictObject({
    rows: z.int().nonnegative(),
    separator: z.string().describe('Separator of the fields, as given or detected.'),
    columns: z.array(column),
  }),
  policy: { timeoutMs: 10 * 60_000 },
});
