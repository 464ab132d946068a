import fc, { type Arbitrary } from 'fast-check';
import { plainBody } from './bodies.ts';
import { fieldTricks, lineTricks } from './field-tricks.ts';
import { latin1, oddValue } from './odd-text.ts';
import { head, jobNumber, replaced, toldBy, usualFields, type Field, type Message } from './script.ts';
import type { Submissions } from './submissions.ts';

/** Marks a line that is sent unchanged. */
const RAW = '\0raw';

type Edit = (fields: Field[]) => Field[];
const edits: Arbitrary<Edit> = fc.oneof(
  {
    arbitrary: fc.oneof(
      ...Object.entries(fieldTricks).map(([name, values]) => {
        const value = fc.oneof(
          { arbitrary: fc.constantFrom(...values.map(latin1)), weight: 5 },
          { arbitrary: oddValue, weight: 1 },
        );
        return fc
          .oneof(
            { arbitrary: fc.tuple(value), weight: 5 },
            { arbitrary: fc.tuple(value, value), weight: 2 },
            { arbitrary: fc.constant<string[]>([]), weight: 1 },
          )
          .map(
            (some): Edit =>
              (fields) =>
                replaced(fields, name, some),
          );
      }),
    ),
    weight: 10,
  },
  {
    arbitrary: fc.constantFrom(...lineTricks).map((line): Edit => (fields) => [...fields, [line, RAW]]),
    weight: 2,
  },
);
/** Requests that are valid except for one to three fields. */
export function oddFields({ job }: Submissions): Arbitrary<(index: number) => Message> {
  const call = fc.oneof(
    { arbitrary: job.map((value) => ({ method: 'POST', target: '/v1/jobs', body: JSON.stringify(value) })), weight: 6 },
    {
      arbitrary: fc
        .constantFrom('/v1/jobs?limit=1', '/healthz', '/openapi.json', '/v1/queues', '/docs', '/nowhere')
        .map((target) => ({ method: 'GET', target, body: null })),
      weight: 2,
    },
    {
      arbitrary: fc
        .tuple(fc.nat(30), fc.constantFrom('', '/result'))
        .map(([number, rest]) => ({ method: 'GET', target: `/v1/jobs/${jobNumber(number)}${rest}`, body: null })),
      weight: 4,
    },
  );
  return fc.tuple(call, fc.array(edits, { minLength: 1, maxLength: 3 })).map(([{ method, target, body }, all]) => {
    return (index: number): Message => {
      const given = body === null ? null : plainBody(body);
      const length: Field[] = given ? [...given.fields, ['Content-Length', String(given.octets.length)]] : [];
      const fields = all.reduce((some, edit) => edit(some), [...usualFields(index), ...length]);
      const named = fields.filter(([, value]) => value !== RAW);
      const text = head(method, target, named).slice(0, -2);
      const raw = fields.filter(([, value]) => value === RAW).map(([line]) => `${line}\r\n`);
      const octets = Buffer.concat([Buffer.from(`${text}${raw.join('')}\r\n`, 'latin1'), given?.octets ?? Buffer.of()]);
      return { method, target, ...toldBy(named), body: given?.says ?? null, octets };
    };
  });
}
