import fc, { type Arbitrary } from 'fast-check';
import { oddText } from './odd-text.ts';

/** JSON text in the place of a value. */
export type ValueText = string;

const numbers = ['0', '-0', '-1', '1.5', '1e308', '1e309', '-1e999', '5e-324', '1e-400', '9'.repeat(400)];
const larger = ['9007199254740993', '2147483648', '-2147483649', '1E+2', '0.1e1', '123456789012345678901234567890'];
const wrong = [
  'NaN',
  'Infinity',
  'undefined',
  '01',
  '+1',
  '.5',
  '1.',
  '0x10',
  "'a'",
  'tru',
  'nulll',
  '',
  ' ',
  '1 2',
  'a',
];
const broken = ['[', '{', '}', ']', '{"a"}', '{"a":}', '{"a":1,}', '[1,]', '[,1]', '{a:1}', '"a', '"\\x"', '"\\u12"'];
const comments = ['/**/1', '1//', '\ufeff1', '\x0b1', '"\n"', '"\t"', '"\0"', '\u00a01', '1\0', '{"a":1}}', '"\\'];

/** Strings in one of JSON's notations. */
const stringText = fc.tuple(oddText, fc.constantFrom('short', 'escaped', 'upper')).map(([text, how]) => {
  if (how === 'short') return JSON.stringify(text);
  const units = [...Array(Math.min(text.length, 500)).keys()].map((at) => text.charCodeAt(at).toString(16));
  const hex = units.map((unit) => `\\u${unit.padStart(4, '0')}`).join('');
  return `"${how === 'upper' ? hex.toUpperCase().replaceAll('\\U', '\\u') : hex}"`;
});

const deep = fc
  .tuple(fc.constantFrom(5, 62, 63, 64, 65, 1_000, 100_000), fc.constantFrom('[', '{"a":', '[{"a":'), fc.boolean())
  .map(([levels, opening, closed]) => {
    const closing = [...opening].reverse().flatMap((one) => (one === '[' ? [']'] : one === '{' ? ['}'] : []));
    return opening.repeat(levels) + (closed ? `0${closing.join('').repeat(levels)}` : '');
  });

/** Values, most of them in JSON's grammar. An array or object may contain anything. */
export const valueText: Arbitrary<ValueText> = fc.letrec<{ value: ValueText }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: fc.constantFrom('null', 'true', 'false', '{}', '[]', '""', ...numbers, ...larger), weight: 6 },
    { arbitrary: stringText, weight: 4 },
    { arbitrary: fc.constantFrom(...wrong, ...broken, ...comments), weight: 1 },
    { arbitrary: deep, weight: 1 },
    { arbitrary: fc.array(tie('value'), { maxLength: 4 }).map((all) => `[${all.join(',')}]`), weight: 2 },
    { arbitrary: members(tie('value')), weight: 2 },
  ),
})).value;

function members(value: Arbitrary<ValueText>): Arbitrary<ValueText> {
  const one = fc.tuple(stringText, value).map(([name, text]) => `${name}:${text}`);
  const all = fc.array(one, { maxLength: 4 });
  return fc.tuple(all, fc.nat(3)).map(([each, doubled]) => {
    const again = each[doubled]; // a duplicate member
    return `{${[...each, ...(again === undefined ? [] : [again])].join(',')}}`;
  });
}

/** A change of a value's text at one of its nodes. */
export type Spoiling = { node: number } & (
  | { how: 'replace'; text: ValueText }
  | { how: 'drop' }
  | { how: 'double' }
  | { how: 'add'; name: string; text: ValueText }
);

const node = fc.nat(12);
/** Random changes. */
export const spoiling: Arbitrary<Spoiling> = fc.oneof(
  { arbitrary: fc.record({ node, how: fc.constant('replace' as const), text: valueText }), weight: 5 },
  { arbitrary: fc.record({ node, how: fc.constant('drop' as const) }), weight: 1 },
  { arbitrary: fc.record({ node, how: fc.constant('double' as const) }), weight: 1 },
  { arbitrary: fc.record({ node, how: fc.constant('add' as const), name: stringText, text: valueText }), weight: 2 },
);

/** The JSON of a value with changes. Nodes are counted in their order, and from the first again if there are fewer. */
export function spoilt(value: unknown, spoilings: readonly Spoiling[]): string {
  const count = write(value, [], { at: 0 }).nodes;
  return write(
    value,
    spoilings.map((each) => ({ ...each, node: each.node % count })),
    { at: 0 },
  ).text;
}

function write(
  value: unknown,
  spoilings: readonly Spoiling[],
  counter: { at: number },
): { text: string; nodes: number } {
  const here = spoilings.filter(({ node: each }) => each === counter.at);
  counter.at += 1;
  const inner = (each: unknown): string => write(each, spoilings, counter).text;
  let text: string;
  if (Array.isArray(value)) text = `[${value.map(inner).join(',')}]`;
  else if (typeof value === 'object' && value !== null) {
    const written = Object.entries(value).flatMap(([name, each]) => {
      const own = spoilings.filter(({ node: at }) => at === counter.at);
      const member = `${JSON.stringify(name)}:${inner(each)}`;
      if (own.some(({ how }) => how === 'drop')) return [];
      return own.some(({ how }) => how === 'double') ? [member, member] : [member];
    });
    const added = here.flatMap((each) => (each.how === 'add' ? [`${each.name}:${each.text}`] : []));
    text = `{${[...written, ...added].join(',')}}`;
  } else text = JSON.stringify(value) ?? 'null';
  const [replacement] = here.flatMap((each) => (each.how === 'replace' ? [each.text] : []));
  return { text: replacement ?? text, nodes: counter.at };
}
