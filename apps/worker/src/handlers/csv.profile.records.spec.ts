import { describe, expect, it } from '@jest/globals';
import { jobDefinitions } from '@offload/jobs/job-types';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { PermanentError } from '@offload/worker';
import type { Profile } from './csv.profile.pool.ts';
import { profileCsv } from './csv.profile.records.ts';

const datasets = join(import.meta.dirname, '../../../../node_modules/vega-datasets/data');
const reference = JSON.parse(readFileSync(join(import.meta.dirname, '../../fixtures/profile-reference.json'), 'utf8'));

const profile = (csv: string | Buffer, separator?: string) =>
  profileCsv(Readable.from([Buffer.from(csv as string)]), { separator });

/** The only column of a CSV with these cells. */
async function column(...cells: string[]) {
  const quoted = cells.map((cell) => `"${cell.replaceAll('"', '""')}"`);
  const { columns } = await profile(['x', ...quoted].join('\n'));
  return columns[0] as Profile['columns'][number];
}

describe('a published CSV', () => {
  it.each(Object.keys(reference))('%s agrees with figures from Python in every column', async (file) => {
    const { rows, columns } = await profileCsv(createReadStream(join(datasets, file)));
    const expected: Profile = reference[file];
    expect(rows).toBe(expected.rows);
    expect(columns.map(({ name }) => name)).toEqual(expected.columns.map(({ name }) => name));
    for (const [index, { mean, quantiles, ...rest }] of expected.columns.entries()) {
      expect(columns[index]).toMatchObject(rest);
      const [actual, wanted] = [columns[index], { mean, ...quantiles }];
      for (const [name, figure] of Object.entries(wanted)) {
        const found = { mean: actual?.mean, ...actual?.quantiles }[name as 'mean' | 'p25'];
        expect(Math.abs(Number(found) - Number(figure))).toBeLessThanOrEqual(1e-12 * Math.abs(Number(figure)));
      }
    }
  });
});

describe('the type of a column', () => {
  it.each([
    ['integer', ['1', '-2', '+3', '0', '9007199254740991']],
    ['number', ['1', '2.5', '.5', '5.', '1e3', '-1.5E-3']],
    ['boolean', ['true', 'FALSE', 'True']],
    ['date', ['2026-02-28', '2024-02-29']],
    ['date', ['2026-11-21T01:02', '2026-11-21 01:02:03.5', '2026-11-21T01:02:03Z', '2026-11-21T01:02+02:00']],
    ['string', ['2026-02-30']],
    ['string', ['2026-11-21T25:00']],
    ['string', ['00501', '10001']],
    ['string', ['9007199254740993']],
    ['string', ['1e999']],
    ['string', ['NaN', '1']],
    ['string', [' 1']],
    ['string', ['0x10']],
    ['string', ['1', 'true']],
    ['string', ['1,000']],
    ['empty', ['', '']],
  ])('is %s for %j', async (type, cells) => {
    await expect(column(...cells)).resolves.toMatchObject({ type });
  });
});

describe('the figures', () => {
  it('of numbers interpolate between the closest values', async () => {
    await expect(column('4', '1', '', '3', '2')).resolves.toEqual({
      name: 'x',
      type: 'integer',
      empty: 1,
      distinct: 4,
      min: 1,
      max: 4,
      mean: 2.5,
      quantiles: { p25: 1.75, p50: 2.5, p75: 3.25 },
      top: ['1', '2', '3', '4'].map((value) => ({ value, count: 1 })),
    });
  });

  it('count values as written and stay exact where plain sums are not', async () => {
    await expect(column('1e16', '1.0', '1', '-1e16')).resolves.toMatchObject({ distinct: 4, mean: 0.5 });
    const { mean, quantiles } = await column('1.7e308', '1.7e308', '-1.7e308');
    expect(mean).toBeCloseTo(1.7e308 / 3, -296);
    expect(quantiles).toEqual({ p25: 0, p50: 1.7e308, p75: 1.7e308 });
  });

  it('of dates are ISO strings, in UTC where there is a time', async () => {
    const range = { min: '2025-12-31', max: '2026-01-02' };
    await expect(column('2026-01-02', '2025-12-31')).resolves.toMatchObject({ ...range, mean: null, quantiles: null });
    await expect(column('2026-01-02', '2026-01-02T00:30+01:00')).resolves.toMatchObject({
      min: '2026-01-01T23:30:00.000Z',
      max: '2026-01-02T00:00:00.000Z',
    });
  });

  it('have the five most frequent values, the smaller first among equals', async () => {
    const { top } = await column(...'f e d c b a z z'.split(' '), '');
    expect(top.map(({ value, count }) => `${value}${count}`)).toEqual(['z2', 'a1', 'b1', 'c1', 'd1']);
  });

  it('cut long text, never in the middle of a character', async () => {
    const { min, top } = await column('𝄞'.repeat(200));
    expect(min).toBe(`${'𝄞'.repeat(127)}…`);
    expect(top[0]?.value).toBe(min);
  });

  it('survive every odd character, as JSON too', async () => {
    const cells = ['\u0000', '__proto__', 'constructor', '"', ' ', '\u2028', '𝄞', 'a\nb', '\ud800'];
    const odd = await column(...cells);
    expect(odd).toMatchObject({ type: 'string', distinct: 9, min: '\u0000', max: '\ufffd' });
    expect(JSON.parse(JSON.stringify(odd))).toEqual(odd);
    const { columns } = await profile('__proto__,constructor,"a\u0000b"\n1,2,3\n');
    expect(columns.map(({ name }) => name)).toEqual(['__proto__', 'constructor', 'a\u0000b']);
  });
});

describe('a CSV', () => {
  it.each([
    ['LF', 'a,b\n1,2\n3,4\n'],
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['CR', 'a,b\r1,2\r3,4\r'],
    ['mixed line ends and blank lines', '\na,b\r\n1,2\n\n3,4\r\n\r\n'],
    ['no line end at the end', 'a,b\n1,2\n3,4'],
    ['a byte order mark', '\ufeffa,b\n1,2\n3,4\n'],
    ['quotes', '"a","b"\n"1","2"\n"3","4"'],
  ])('with %s is read', async (_title, csv) => {
    const { rows, columns } = await profile(csv);
    expect(rows).toBe(2);
    expect(columns.map(({ name, min, max }) => [name, min, max])).toEqual([
      ['a', 1, 3],
      ['b', 2, 4],
    ]);
  });

  it('without rows has columns without values', async () => {
    const found = await profile('a,b');
    expect(found).toMatchObject({ rows: 0, columns: [{ name: 'a', type: 'empty', min: null, top: [] }, {}] });
    expect(jobDefinitions.csvProfile.result.parse(found)).toEqual(found);
  });

  it('gives the same result for pieces of any size', async () => {
    const csv = Buffer.from('ä,"b\r\n€"\r\n1,"𝄞""\n"\r\n\r\n,x\r\n');
    const whole = await profile(csv);
    expect(whole.rows).toBe(2);
    for (const size of [1, 2, 3, 7]) {
      const pieces = Array.from({ length: Math.ceil(csv.length / size) }, (_, n) => csv.subarray(n * size, ++n * size));
      await expect(profileCsv(Readable.from(pieces))).resolves.toEqual(whole);
    }
  });

  it.each([
    ['', /^line 1: the CSV is empty/],
    ['\n\n', /^line 1: the CSV is empty/],
    ['a,b\n1,2\n3\n', /^line 3: 1 field where the header has 2$/],
    ['a,b\n1,2\n3,4,5', /^line 3: 3 fields where the header has 2$/],
    ['a,b\r\n"1\r\n1\r\n1",2\r\n\r\n3\r\n', /^line 6: 1 field/],
    ['a,b\n"1\r\n1",2\n3,x"y\n', /^line 4: a quote inside a field/],
    ['a,b\n1,"x"y\n', /^line 2: text between a closing quote/],
    ['a,b\n1,2\n"3,4\n5,6\n', /^line 3: a quoted field begins here or later and is never closed$/],
    [`a\n1\n"${'x\n'.repeat(600_000)}"`, /^line 3: a record begins here that is longer than 1 MiB$/],
    ['a,b,a\n', /^line 1: two columns are named "a"$/],
    [',,\n1,2,3\n', /^line 1: no column has a name$/],
    [`${'n'.repeat(257)}\n`, /^line 1: the name of column 1 is longer than 256 characters$/],
    [Array.from({ length: 1_001 }, (_, n) => n).join(','), /^line 1: there are 1001 columns/],
    [Buffer.from('a\n1\n\xfc\n', 'latin1'), /^line 3: not UTF-8/],
  ])('%j is permanently refused, the line named', async (csv, message) => {
    await expect(profile(csv)).rejects.toThrow(PermanentError);
    await expect(profile(csv)).rejects.toThrow(message);
  });

  it.each([
    ['comma', ',', 'a,b\n"1,0",2\n3,4\n'],
    ['tab', '\t', 'a\tb\n1,0\t2\n3\t4\n'],
    ['semicolon', ';', 'a;b\n1,0;2\n"3;";4\n'],
    ['semicolon, and commas in the header', ';', 'a (x, y, z);b\n1,0;2\n3,5;4\n'],
    ['pipe', '|', 'a|b\n1,0|2\n3,5|4'],
    ['semicolon, said as Excel does', ';', 'sep=;\r\na;b\r\n1;2\r\n3;4\r\n'],
    ['one that only Excel names', '^', '"sep=^"\na^b\n1^2\n3^4\n'],
    ['tab, below a byte order mark and Excel', '\t', '\ufeffSEP=\t\na\tb\n1\t2\n3\t4\n'],
    ['semicolon, without rows', ';', 'a;b'],
    ['semicolon, below decimal commas that count the row', ';', 'Preis;Menge\n1,5;2\n2,5;4\n'],
    ['semicolon, below commas of thousands that do so', ';', 'Umsatz;Jahr\n1,000;2\n2,000;4\n'],
    ['tab, below decimal commas that count the row', '\t', 'Preis\tMenge\n1,5\t2\n2,5\t4\n'],
    ['pipe, below lists that count the row', '|', 'id|tags\n1;x|2\n2;y|4\n'],
  ])('with the separator %s is read, and says so', async (_title, separator, csv) => {
    const found = await profile(csv);
    expect(found.columns).toHaveLength(2);
    expect(found).toMatchObject({ separator, rows: csv.includes('4') ? 2 : 0 });
    await expect(profile(csv, separator)).resolves.toEqual(found);
  });

  it('with one column has commas for all that is known, and any other character within', async () => {
    const found = await profile('a\nx;y\nz|\n');
    expect(found).toMatchObject({ separator: ',', rows: 2, columns: [{ name: 'a', min: 'x;y', max: 'z|' }] });
    await expect(profile('a; b | c\nx\ny\n')).resolves.toMatchObject({
      separator: ',',
      columns: [{ name: 'a; b | c' }],
    });
    await expect(profile('a,b\nx\ny\n')).rejects.toThrow(/^line 2: 1 field where the header has 2$/);
    await expect(profile('a;b\nx;y\nz\n')).rejects.toThrow(/^line 3: 1 field where the header has 2$/);
  });

  it.each([
    ['decimal commas', 'x\n1,5\n2,5\n', 'x', '1,5'],
    ['one decimal comma', 'Preis\n1,5', 'Preis', '1,5'],
    ['commas of thousands', 'total\n1,000\n2,000\n', 'total', '1,000'],
    ['lists', 'tags\n1;x\n2;y\n', 'tags', '1;x'],
    ['names of rows that R did not quote', 'mpg\n1\tx\n2\ty\n', 'mpg', '1\tx'],
  ])('with one column and what may be %s is read by the separator that is given', async (_title, csv, name, min) => {
    const within = min.charAt(1);
    const other = within === ';' ? ',' : ';';
    await expect(profile(csv)).rejects.toThrow(PermanentError);
    await expect(profile(csv)).rejects.toThrow(
      /^line 2: .* may part the number .* say in separator what parts fields$/,
    );
    await expect(profile(csv)).rejects.toThrow(JSON.stringify(within));
    await expect(profile(`sep=${other}\n${csv}`)).resolves.toMatchObject({ columns: [{ name, min }] });
    await expect(profile(csv, other)).resolves.toMatchObject({ separator: other, columns: [{ name, min }] });
    await expect(profile(csv, within)).rejects.toThrow(/^line 1: the header has 1 field and each row 2; the number /);
  });

  it('that several separators fit is read by the given separator', async () => {
    const csv = 'a,b;c\n1,2;3\n';
    await expect(profile(csv)).rejects.toThrow(/^line 1: "," and ";" both part all lines evenly; say in separator/);
    await expect(profile(csv, ';')).resolves.toMatchObject({ separator: ';', columns: [{ name: 'a,b' }, {}] });
    await expect(profile('a.b\n1.2\n', '.')).resolves.toMatchObject({ separator: '.', columns: [{}, { max: 2 }] });
    await expect(profile('a b\n1 2\n', ' ')).resolves.toMatchObject({ separator: ' ', columns: [{}, { max: 2 }] });
    await expect(profile('a\\b\n1\\2\n', '\\')).resolves.toMatchObject({ columns: [{}, { max: 2 }] });
    await expect(profile('a]b\n1]2\n', ']')).resolves.toMatchObject({ columns: [{}, { max: 2 }] });
  });

  it.each([
    ['the index of pandas', ',a\n0,x\n1,y\n', ['column 1', 'a']],
    ['two indexes of pandas', ',,a\n0,0,x\n0,1,y\n', ['column 1', 'column 2', 'a']],
    ["what spreadsheets add at a row's end", 'a,b,,\nx,1,,\ny,2,,\n', ['a', 'b', 'column 3', 'column 4']],
    ['one whose name is taken', 'column 2,\nx,1\ny,2\n', ['column 2', 'column 2_']],
    ['the row names of R', '"a","b"\n"1",5,"x"\n"2",6,"y"\n', ['column 1', 'a', 'b']],
    ['the row names of R before one column', '"a"\n"Mazda RX4"\t21\n"Fiat, 128"\t32\n', ['column 1', 'a']],
  ])('with columns without a name, as %s, gives them one', async (_title, csv, names) => {
    const { rows, columns } = await profile(csv);
    expect(rows).toBe(2);
    expect(columns.map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['Rome,nice, sunny\nParis,big, grey', 'that nothing says are names'],
    ['"x",1,2\n"x",3,4', 'that are twice the same'],
    ['"1",2,\n"2",3,', 'and a separator at the end of all'],
  ])('with a field too many in each row, %s, has no row names', async (rows) => {
    const header = rows.startsWith('"') ? '"a","b"' : 'a,b';
    await expect(profile(`${header}\n${rows}\n`)).rejects.toThrow(/^line 2: 3 fields where the header has 2$/);
  });

  it.each([
    ['an id, and no last name', 'id,name\n1,x,foo\n2,y,bar\n'],
    ['the same below a quoted header', '"id","name"\n1,"x","foo"\n2,"y","bar"\n'],
    ['the same in one row', 'id,name\n1,x,foo\n'],
    ['the row names of R, unquoted', 'a;b\n1;5;x\n2;6;y\n'],
    ['a separator at the end of all', 'a\tb\n1\t2\t\n2\t3\t\n'],
    ['Excel telling what parts them', 'sep=,\na,b\n1,2,x\n2,3,y\n'],
  ])('whose rows begin with their numbers, as %s, and have a field too many is refused', async (_title, csv) => {
    await expect(profile(csv)).rejects.toThrow(PermanentError);
    await expect(profile(csv)).rejects.toThrow(
      /^line [12]: the header has 2 fields and each row 3; .* name all fields in the header$/,
    );
  });

  it('names the line below the one that names the separator', async () => {
    await expect(profile('sep=;\na;b\n1;2\n3\n')).rejects.toThrow(/^line 4: 1 field where the header has 2$/);
    await expect(profile('sep=;\n')).rejects.toThrow(/^line 1: the CSV is empty/);
  });

  it('must keep its separator after its first part', async () => {
    const head = `a;b\n${`"${'x'.repeat(1_000)}";2\n`.repeat(80)}`;
    await expect(profile(`${head}3;4\n`)).resolves.toMatchObject({ separator: ';', rows: 81 });
    await expect(profile(`${head}3,4\n`)).rejects.toThrow(/^line 82: 1 field where the header has 2$/);
    const long = Array.from({ length: 1_000 }, (_, n) => `${'n'.repeat(250)}_${n}`);
    await expect(profile(long.join('\t'))).resolves.toMatchObject({ separator: '\t', columns: { length: 1_000 } });
    const broken = `a|b\n${`"${'x,\n'.repeat(500)}"|2\n`.repeat(80)}`;
    await expect(profile(broken)).resolves.toMatchObject({ separator: '|', rows: 80 });
  });

  it('with more distinct values than memory is meant for is permanently refused', async () => {
    const csv = Buffer.from('a,b\n1,x\n2,x\n3,x\n');
    await expect(profileCsv(Readable.from([csv]), { maxDistinct: 4 })).resolves.toMatchObject({ rows: 3 });
    await expect(profileCsv(Readable.from([csv]), { maxDistinct: 3 })).rejects.toThrow(
      /^line 4: more than 3 distinct values/,
    );
  });

  it('passes on the failure of its source', async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('a\n1\n');
        throw new Error('connection lost');
      })(),
    );
    await expect(profileCsv(broken)).rejects.toThrow('connection lost');
  });
});
