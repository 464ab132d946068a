import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { PermanentError } from '@offload/worker';
import { describeColumn } from './csv.profile.column.ts';
import type { Profile } from './csv.profile.pool.ts';
import { layoutOf } from './csv.profile.layout.ts';
import { takeHead, textOf } from './csv.profile.text.ts';

/** Longest record, in bytes (1 MiB): a longer record most likely has a quote that is never closed. */
const MAX_RECORD_BYTES = 1_048_576;
const MAX_COLUMNS = 1_000;
const MAX_NAME_LENGTH = 256;

/** Most distinct values over all columns: about 340 MB. A thread that runs out of memory may end the whole process. */
const MAX_DISTINCT = 4_000_000;

/** How much of the file is read to detect the separator, in bytes (64 KiB). */
const HEAD_BYTES = 65_536;

/** The counts while rows arrive: memory grows with the distinct values, not with the rows. */
interface Table {
  columns: { name: string; counts: Map<string, number>; empty: number }[];
  rows: number;
  /** The line on which the first row ends. */
  firstRow: number;
  /** The sizes of all columns' `counts` together. */
  distinct: number;
}

export interface ProfileOptions {
  /** One character. @default detected: see `layoutOf` */
  separator?: string | undefined;
  /** Most distinct values over all columns. @default 4_000_000 */
  maxDistinct?: number;
}

/**
 * Profiles a CSV: separators, double quotes, lines ended by CRLF, LF or CR, as in RFC 4180. See `csv.profile.text.ts`
 * for the encodings, and `csv.profile.layout.ts` for the separators.
 *
 * The first line has the names of the columns, which must differ. A third column without a name is called "column 3":
 * the index of pandas, the row names of R and empty columns of spreadsheets have no name. Empty lines are skipped.
 * Reads `source` once, piece by piece.
 * @throws PermanentError with the line, if the source is no such CSV; or the error of `source`
 */
export async function profileCsv(
  source: AsyncIterable<Uint8Array>,
  { separator: given, maxDistinct = MAX_DISTINCT }: ProfileOptions = {},
): Promise<Profile> {
  const { head, isWhole, all } = await takeHead(textOf(source), HEAD_BYTES);
  const sample = head.subarray(0, HEAD_BYTES);
  const layout = layoutOf(sample.toString(), isWhole && sample.length === head.length, given);
  const { separator, hasRowNames, preambleBytes } = layout;
  let table: Table | undefined;
  const position = trackLines(preambleBytes > 0 ? 1 : 0);
  const parser = parse({
    delimiter: separator,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    relax_column_count: true, // Checked below, so that the error names the line.
    max_record_size: MAX_RECORD_BYTES,
  });
  const take = (record: string[]) => {
    const line = position.after(record, parser.info.lines);
    if (table === undefined) {
      table = { columns: readHeader(hasRowNames ? ['', ...record] : record, line), rows: 0, firstRow: 0, distinct: 0 };
    } else {
      addRow(table, record, line);
      if (table.distinct > maxDistinct) {
        throw new PermanentError(`line ${line}: more than ${maxDistinct} distinct values up to here, over all columns`);
      }
    }
  };
  // Here the parser's line is still that of the record. The option on_record would do the same, but halves the
  // throughput, since it copies the parser's state for each record. Further down the stream the line is lost.
  const push = parser.push.bind(parser);
  parser.push = (record: string[] | null) => {
    if (record === null) {
      return push(null);
    }
    try {
      take(record);
    } catch (error) {
      parser.destroy(error as Error);
    }
    return true;
  };
  try {
    await pipeline(skip(all, preambleBytes), parser.resume());
  } catch (error) {
    throw error instanceof CsvError ? asPermanent(error, position) : error;
  }
  if (table === undefined) {
    throw new PermanentError('line 1: the CSV is empty; its first line must name the columns');
  }
  const { rows, columns } = table;
  if (hasRowNames) checkRowNames(table);
  return { rows, separator, columns: columns.map(({ name, counts, empty }) => describeColumn(name, counts, empty)) };
}

function readHeader(names: string[], line: number): Table['columns'] {
  if (names.length > MAX_COLUMNS) {
    throw new PermanentError(`line ${line}: there are ${names.length} columns, ${MAX_COLUMNS} is the most`);
  }
  if (names.every((name) => name === '')) {
    throw new PermanentError(`line ${line}: no column has a name`);
  }
  const taken = new Set<string>();
  for (const [index, name] of names.entries()) {
    if (name.length > MAX_NAME_LENGTH) {
      throw new PermanentError(
        `line ${line}: the name of column ${index + 1} is longer than ${MAX_NAME_LENGTH} characters`,
      );
    }
    if (taken.has(name)) {
      throw new PermanentError(`line ${line}: two columns are named ${JSON.stringify(name)}`);
    }
    if (name !== '') taken.add(name);
  }
  return names.map((name, index) => ({ name: name || freeName(index, taken), counts: new Map(), empty: 0 }));
}

function freeName(index: number, taken: ReadonlySet<string>): string {
  let name = `column ${index + 1}`;
  while (taken.has(name)) name += '_';
  return name;
}

/** Checks that row names differ. If they do not, or if all rows end with a separator, the header lacks a field. */
function checkRowNames({ columns, rows, firstRow }: Table): void {
  if (columns[0]?.counts.size !== rows || columns.at(-1)?.counts.size === 0) {
    throw new PermanentError(`line ${firstRow}: ${columns.length} fields where the header has ${columns.length - 1}`);
  }
}

function addRow(table: Table, values: string[], line: number): void {
  const { columns } = table;
  if (values.length !== columns.length) {
    const found = `${values.length} ${values.length === 1 ? 'field' : 'fields'}`;
    throw new PermanentError(`line ${line}: ${found} where the header has ${columns.length}`);
  }
  if (table.rows === 0) table.firstRow = line;
  table.rows += 1;
  for (const [index, column] of columns.entries()) {
    const value = values[index] as string;
    const count = column.counts.get(value);
    if (value === '') {
      column.empty += 1;
    } else {
      column.counts.set(value, (count ?? 0) + 1);
      table.distinct += count === undefined ? 1 : 0;
    }
  }
}

async function* skip(text: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of text) {
    yield chunk.subarray(left);
    left = Math.max(left - chunk.length, 0);
  }
}

interface Position {
  /** @returns the line on which `record` ends, if csv-parse has counted `lines` */
  after(record: string[], lines: number): number;
  /** @returns the real line, if csv-parse has counted `lines` */
  of(lines: number): number;
  /** The line on which the latest record ended. */
  latest: number;
}

/** Corrects csv-parse's lines: it counts a CRLF inside quotes as two lines, and does not see the lines `before`. */
function trackLines(before: number): Position {
  let counted = 0;
  let surplus = -before;
  const position: Position = {
    latest: 0,
    of: (lines) => lines - surplus,
    after: (record, lines) => {
      if (lines > counted + 1) {
        surplus += record.reduce((sum, value) => sum + value.split('\r\n').length - 1, 0);
      }
      counted = lines;
      position.latest = position.of(lines);
      return position.latest;
    },
  };
  return position;
}

function asPermanent(error: CsvError, position: Position): PermanentError {
  const line = position.of(Number(error.lines));
  const messages: Partial<Record<CsvError['code'], string>> = {
    INVALID_OPENING_QUOTE: `line ${line}: a quote inside a field that doesn't begin with one`,
    CSV_INVALID_CLOSING_QUOTE: `line ${line}: text between a closing quote and the end of its field`,
    CSV_QUOTE_NOT_CLOSED: `line ${position.latest + 1}: a quoted field begins here or later and is never closed`,
    CSV_MAX_RECORD_SIZE: `line ${position.latest + 1}: a record begins here that is longer than 1 MiB`,
  };
  return new PermanentError(messages[error.code] ?? `line ${line}: ${error.message}`, { cause: error });
}
