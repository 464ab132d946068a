import { PermanentError } from '@offload/worker';

/** The format of a CSV's records. */
export interface Layout {
  separator: string;
  /** Whether each row begins with a row name that has no field in the header, as R writes tables. */
  hasRowNames: boolean;
  /** The length of Excel's first line `sep=;`, which is no record; 0 if there is no such line. */
  preambleBytes: number;
}

/** The separators, in the order in which they are tried. */
const separators = [',', '\t', ';', '|'];

const preamble = /^(?:sep=([^"\r\n])|"sep=([^"\r\n])")(?:\r\n|\n|\r|$)/i;

/**
 * Detects the format of a CSV from `head`, its beginning; `isWhole` says that the head is the whole CSV.
 *
 * The separator is `given`, or the separator in Excel's first line. Otherwise it is the only one of comma, tab,
 * semicolon and pipe that fits. A separator fits if it splits the header into two or more fields, and every record of
 * the head into the same number of fields. If none fits, it is the comma, or another that splits the header more often
 * and splits some rows: then the later error names the record at fault. A CSV without any separator has one column.
 *
 * Rows have names if each row has one field more than the header, and begins with a quoted field below a quoted header,
 * as R writes it. If each row begins with its unquoted number, the number may be a row name, or the header may lack a
 * name. Below a header of one field, 1,5 may also be one number.
 * @throws PermanentError if more than one separator fits, or if rows begin with their numbers below the only one that
 *   may fit
 */
export function layoutOf(head: string, isWhole: boolean, given?: string): Layout {
  const [line = '', bare, quoted] = preamble.exec(head) ?? [];
  const named = given ?? bare ?? quoted;
  const text = head.slice(line.length);
  const shapes = (named === undefined ? separators : [named]).map((separator) => shapeOf(text, isWhole, separator));
  const fitting = shapes.filter(
    ({ fits, isNumbered, columns }) => fits || (isNumbered && (columns > 1 || named !== undefined)),
  );
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
  if (fitting[0]?.isNumbered) {
    const { columns } = fitting[0];
    throw new PermanentError(
      `line ${line === '' ? 1 : 2}: the header has ${columns} ${columns === 1 ? 'field' : 'fields'} and each row ${columns + 1}; ` +
        'the number with which each row begins may be its name or the first field: name all fields in the header',
    );
  }
  const likely = shapes.filter(({ partsRows }, index) => partsRows || index === 0);
  const [shape] = [...fitting, ...likely.sort((a, b) => b.columns - a.columns)];
  const { separator, hasRowNames } = shape as Shape;
  return { separator, hasRowNames, preambleBytes: Buffer.byteLength(line) };
}

interface Shape {
  separator: string;
  /** The number of fields in the header. */
  columns: number;
  hasRowNames: boolean;
  /** Whether any row has more than one field. */
  partsRows: boolean;
  fits: boolean;
  /** Whether each row has one field more than the header, and begins with its number. */
  isNumbered: boolean;
}

function shapeOf(text: string, isWhole: boolean, separator: string): Shape {
  const { records, isBroken } = recordsOf(text, isWhole, separator);
  const [header, ...rows] = records;
  const columns = header?.fields ?? 0;
  const isEven = !isBroken && rows.every(({ fields }) => fields === rows[0]?.fields);
  const hasMore = isEven && rows[0]?.fields === columns + 1;
  const hasRowNames = hasMore && records.every(({ first }) => first.startsWith('"'));
  const isTable = columns > 1 && (rows[0]?.fields ?? columns) === columns;
  const partsRows = rows.some(({ fields }) => fields > 1);
  return {
    separator,
    columns,
    hasRowNames,
    partsRows,
    fits: isEven && (isTable || hasRowNames),
    isNumbered: hasMore && rows.every(({ first }, index) => first === String(index + 1)),
  };
}

interface Line {
  fields: number;
  /** The first field, unparsed. */
  first: string;
}

/** The records of `text`, without blank lines. A record that is cut off at the end counts only if it is the header. */
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
