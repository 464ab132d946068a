import { PermanentError } from '../handler.ts';

/** How the records of a CSV are written. */
export interface Layout {
  separator: string;
  /** Whether each row begins with a name that the header has no field for, as R writes tables. */
  hasRowNames: boolean;
  /** The first line is no record: Excel's `sep=;`. It has so many bytes; 0 where there is none. */
  preambleBytes: number;
}

/** In the order in which they are tried. */
const separators = [',', '\t', ';', '|'];

const preamble = /^(?:sep=([^"\r\n])|"sep=([^"\r\n])")(?:\r\n|\n|\r|$)/i;

/**
 * Finds out how a CSV is written from `head`, its beginning; `isWhole` says that there is no more.
 *
 * The separator is `given`, or the one that Excel's first line names, or the only one of comma, tab, semicolon and pipe
 * that fits: it parts the header into two fields or more, and every record of the head into as many. Two that fit are one
 * too many. Where none does, it is the comma, or what parts the header more often than a comma, and some rows too: so
 * the error names what is wrong below. A comma that parts nothing makes it one column.
 *
 * Rows have names if each of them has one field more than the header, and begins with a quoted field below a quoted
 * header, or with its number. Numbered rows below a header of one field say too little, since 1,5 may be a number, too:
 * they count only if the separator is given.
 * @throws PermanentError if more than one separator fits, or none but one that numbered rows below one field suggest
 */
export function layoutOf(head: string, isWhole: boolean, given?: string): Layout {
  const [line = '', bare, quoted] = preamble.exec(head) ?? [];
  const named = given ?? bare ?? quoted;
  const text = head.slice(line.length);
  const shapes = (named === undefined ? separators : [named]).map((separator) => shapeOf(text, isWhole, separator));
  const fitting = shapes.filter(({ fits, isNumbered }) => fits && !(isNumbered && named === undefined));
  if (fitting.length > 1) {
    const which = fitting.map(({ separator }) => JSON.stringify(separator)).join(' and ');
    throw new PermanentError(`line 1: ${which} both part all lines evenly; say in separator which one it is`);
  }
  const numbered = shapes.find(({ isNumbered }) => isNumbered);
  if (fitting.length === 0 && numbered) {
    const which = JSON.stringify(numbered.separator);
    throw new PermanentError(
      `line 2: ${which} may part the number of the row from a value, or be in the value; say in separator what parts fields`,
    );
  }
  const likely = shapes.filter(({ partsRows }, index) => partsRows || index === 0);
  const [shape] = [...fitting, ...likely.sort((a, b) => b.columns - a.columns)];
  const { separator, hasRowNames } = shape as Shape;
  return { separator, hasRowNames, preambleBytes: Buffer.byteLength(line) };
}

interface Shape {
  separator: string;
  /** Fields of the header. */
  columns: number;
  hasRowNames: boolean;
  /** Whether any row has more than one field. */
  partsRows: boolean;
  fits: boolean;
  /** It fits only since the rows, below a header of one field, begin with their numbers. */
  isNumbered: boolean;
}

function shapeOf(text: string, isWhole: boolean, separator: string): Shape {
  const { records, isBroken } = recordsOf(text, isWhole, separator);
  const [header, ...rows] = records;
  const columns = header?.fields ?? 0;
  const isEven = !isBroken && rows.every(({ fields }) => fields === rows[0]?.fields);
  const hasMore = isEven && rows[0]?.fields === columns + 1;
  const isQuoted = hasMore && records.every(({ first }) => first.startsWith('"'));
  const hasRowNames = isQuoted || (hasMore && rows.every(({ first }, index) => first === String(index + 1)));
  const isTable = columns > 1 && (rows[0]?.fields ?? columns) === columns;
  const partsRows = rows.some(({ fields }) => fields > 1);
  return {
    separator,
    columns,
    hasRowNames,
    partsRows,
    fits: isEven && (isTable || hasRowNames),
    isNumbered: hasRowNames && !isQuoted && columns === 1,
  };
}

interface Line {
  fields: number;
  /** The first field, as written. */
  first: string;
}

/** The records of `text`, blank lines left out. One that is cut off at the end counts only if it is the header. */
function recordsOf(text: string, isWhole: boolean, separator: string): { records: Line[]; isBroken: boolean } {
  const literal = `\\u${separator.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const field = new RegExp(`("[^"]*(?:""[^"]*)*"|[^"${literal}\\r\\n]*)(${literal}|\\r\\n|\\n|\\r|$)`, 'y');
  const records: Line[] = [];
  let record: Line = { fields: 0, first: '' };
  let isBroken = false;
  while (field.lastIndex < text.length || record.fields > 0) {
    const at = field.lastIndex;
    const [, value = '', end] = field.exec(text) ?? [];
    if (end === undefined) {
      isBroken = isWhole || !/^"[^"]*(?:""[^"]*)*"?$/.test(text.slice(at));
      record.fields += 1;
      break;
    }
    if (record.fields === 0) record.first = value;
    record.fields += 1;
    if (end === separator) continue;
    if (end === '' && !isWhole) break;
    if (record.fields > 1 || value !== '') records.push(record);
    record = { fields: 0, first: '' };
    if (end === '') break;
  }
  if (record.fields > 0 && records.length === 0) records.push(record);
  return { records, isBroken };
}
