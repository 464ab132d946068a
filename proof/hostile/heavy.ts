import fc from 'fast-check';
import { schemaAt, type Document, type Operation } from './document.ts';
import { fromSchema, type Schema } from './from-schema.ts';

/** Most bytes of a body. */
export const LIMIT_BYTES = 2 ** 20;
/** Most bytes around a heavy value. */
const ROUND_BYTES = 4_096;

/** JSON of nearly a megabyte, each kind of which is much work for a careless parser. */
export const heavyValues: Record<string, string> = {
  numbers: `[${filled('0')}]`,
  floats: `[${filled('1e-300')}]`,
  strings: `[${filled('""')}]`,
  arrays: `[${filled('[]')}]`,
  objects: `[${filled('{"a":1}')}]`,
  nested: `[${filled(`${'['.repeat(60)}${']'.repeat(60)}`)}]`,
  members: `{${filled((index) => `"${index.toString(36)}":0`)}}`,
  'as many parts as may be': `[${Array(16_000).fill('{"a":[]}').join(',')}]`,
  'as many members as may be': `{${Array.from({ length: 49_000 }, (_, index) => `"m${index}":0`).join(',')}}`,
  letters: `"${filled('x', '')}"`,
  commas: `"a${filled(',', '')}"`,
  lines: `"a${filled('\\n1', '')}"`,
  escapes: `"${filled('\\"', '')}"`,
  surrogates: `"${filled('\\ud800', '')}"`,
  controls: `"${filled('\\u0001', '')}"`,
  host: `"http://${'é'.repeat((LIMIT_BYTES - ROUND_BYTES) / 2)}"`,
  digits: '1'.repeat(300) + '.' + '1'.repeat(LIMIT_BYTES - ROUND_BYTES),
  space: ' '.repeat(LIMIT_BYTES - ROUND_BYTES) + 'null',
};

function filled(unit: string | ((index: number) => string), separator = ','): string {
  const units: string[] = [];
  for (let bytes = 0, index = 0; bytes < LIMIT_BYTES - ROUND_BYTES; index += 1) {
    const next = typeof unit === 'string' ? unit : unit(index);
    units.push(next);
    bytes += next.length + separator.length;
  }
  return units.slice(0, -1).join(separator);
}

/** Bodies of a call with the value as the whole body, and as each member of its schema. */
export function heavyBodies(document: Document, operation: Operation, value: string): string[] {
  const schema = operation.requestBody?.content['application/json']?.schema;
  if (!schema) return [value];
  const resolve = (each: Schema): Schema => (each.$ref === undefined ? each : schemaAt(document, each.$ref));
  const sample = (each: Schema) =>
    fc.sample(
      fromSchema(each, (reference) => schemaAt(document, reference)),
      { seed: 1, numRuns: 1 },
    )[0];

  const neededIn = ({ required = [], properties = {} }: Schema): Record<string, unknown> =>
    Object.fromEntries(required.map((member) => [member, sample(properties[member] as Schema)]));

  /** Puts the value in each place, at any depth. `round` puts it into the JSON around it. */
  function within(each: Schema, others: Record<string, unknown>, round: (json: string) => string): string[] {
    const { properties = {}, items } = resolve(each);
    if (items) return within(items, others, (json) => round(`[${json}]`));
    return Object.entries(properties).flatMap(([name, property]) => {
      const rest = Object.entries(others).filter(([other]) => other !== name);
      const members = rest.map(([other, of]) => `${JSON.stringify(other)}:${JSON.stringify(of)}`);
      const inMember = (json: string): string =>
        round(`{${[...members, `${JSON.stringify(name)}:${json}`].join(',')}}`);
      const member = resolve(property);
      return [inMember(value), ...(member.properties ? within(member, neededIn(member), inMember) : [])];
    });
  }

  const { properties = {} } = resolve(schema);
  const isBatch = properties['jobs'] !== undefined;
  const round = (json: string): string => (isBatch ? `{"jobs":[${json}]}` : json);
  const job = isBatch ? (resolve(properties['jobs'] as Schema).items as Schema) : schema;
  const bodies = [
    value,
    ...(isBatch ? [`{"jobs":${value}}`] : []),
    ...within(job, { type: 'demo.echo', payload: {} }, round),
  ];
  if (resolve(job).properties?.['payload'] === undefined) return bodies;
  for (const name of Object.keys(document.components.schemas).filter((each) => each.endsWith('.payload'))) {
    const type = name.replace(/\.payload$/, '');
    const payload = schemaAt(document, `#/components/schemas/${name}`);
    const inJob = (json: string): string => round(`{"type":${JSON.stringify(type)},"maxAttempts":1,"payload":${json}}`);
    bodies.push(inJob(value), ...within(payload, neededIn(payload), inJob));
  }
  return bodies;
}
