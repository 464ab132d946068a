import { isUtf8 } from 'node:buffer';
import { invalidMember, pointerTo, Problem } from './problem.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** A number of at most this many characters without an exponent always fits a double. */
const DIGITS_OF_A_DOUBLE = 308;
/** Length of the shortest number that does not fit a double, such as 9e308. */
const SHORTEST_BEYOND = 5;

/** An array or object that contains the place of the scan. */
interface Level {
  isObject: boolean;
  /** The member names so far, if this is an object. */
  names: Set<string>;
  /** Whether the next string is a member name, if this is an object. */
  nameComes: boolean;
  /** The member, or the index of the item, at the place of the scan. */
  step: string | number;
}

/**
 * Parses JSON that has one meaning for every parser (I-JSON, RFC 7493). It must be UTF-8, name no member twice and have
 * no number beyond a double. It must also have no member `__proto__`.
 *
 * A byte order mark at the start is ignored. The time is linear in the length of the text, and the number of parsed
 * parts is bounded.
 *
 * @param maxDepth most levels of arrays and objects
 * @param maxParts most members, arrays and objects together: each takes many times its bytes in memory
 * @throws Problem 400 `malformed-json` if the text is not JSON
 * @throws Problem 400 `invalid-request` with a pointer to the first member that is wrong
 */
export function parseStrictJson(octets: Buffer, maxDepth: number, maxParts: number): unknown {
  // JSON is UTF-8 (RFC 8259 section 8.1). Decoding other bytes would silently insert replacement characters.
  if (!isUtf8(octets)) throw malformed('the body is not UTF-8');
  if (octets.length === 0) throw malformed('the body is empty');
  const text = octets.toString('utf8', beginsWithMark(octets) ? MARK.length : 0);
  refuseTraps(text, maxDepth, maxParts);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed((error as Error).message, error);
  }
}

/** A byte order mark, as some editors and libraries write it. RFC 8259 section 8.1 lets a parser ignore it. */
const MARK = Buffer.from('\ufeff');

function beginsWithMark(octets: Buffer): boolean {
  return octets[0] === MARK[0] && octets.subarray(0, MARK.length).equals(MARK);
}

function malformed(detail: string, cause?: unknown): Problem {
  return new Problem(400, 'malformed-json', 'The body is not JSON', detail, { cause });
}

/**
 * Checks the text in one pass before it is parsed. It ignores malformed JSON, which the parser refuses later: on such a
 * text the pass only has to end.
 */
function refuseTraps(text: string, maxDepth: number, maxParts: number): void {
  const levels: Level[] = []; // each array or object of the same depth reuses its level
  let depth = 0;
  let parts = 0;
  let level: Level | undefined;

  function fault(detail: string): Problem {
    return invalidMember(pointerTo(levels.slice(0, depth).map(({ step }) => step)), detail);
  }
  function countPart(): void {
    parts += 1;
    if (parts > maxParts) throw invalidMember('', `has more than ${maxParts} members, arrays and objects`);
  }

  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    switch (character) {
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (depth === maxDepth) throw fault(`has arrays and objects within each other, more than ${maxDepth} levels`);
        countPart();
        level = levels[depth] ??= { isObject: false, names: new Set(), nameComes: false, step: 0 };
        depth += 1;
        level.isObject = level.nameComes = character === OPEN_OBJECT;
        level.step = 0;
        if (level.names.size > 0) level.names.clear();
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        if (depth === 0) return;
        depth -= 1;
        level = levels[depth - 1];
        break;
      case COMMA:
        if (level?.isObject) level.nameComes = true;
        else if (level) level.step = Number(level.step) + 1;
        break;
      case QUOTE: {
        const end = closingQuote(text, at);
        if (end === -1) return;
        if (level?.nameComes) {
          const name = unescaped(text, at, end);
          if (name === null) return;
          countPart();
          level.nameComes = false;
          level.step = name;
          if (name === '__proto__') throw fault('is not allowed as the name of a member');
          // The size shows a duplicate. To look the name up before adding it would cost as much again.
          const { size } = level.names;
          if (level.names.add(name).size === size) throw fault('is there twice');
        }
        at = end;
        break;
      }
      default:
        if (character >= ZERO && character <= NINE) {
          const end = endOfNumber(text, at);
          if (!isHeldByDouble(text, at, end)) throw fault('is a number beyond what a double holds');
          at = end - 1;
        }
    }
  }
}

/** Where the string that begins at `start` ends, or -1. A quote after an odd number of backslashes does not end it. */
function closingQuote(text: string, start: number): number {
  let quote = start;
  for (;;) {
    quote = text.indexOf('"', quote + 1);
    if (quote === -1) return -1;
    let before = quote;
    while (text.charCodeAt(before - 1) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 0) return quote;
  }
}

/** A name after unescaping, because names are compared so (RFC 8259 section 8.3). Null if it is not JSON. */
function unescaped(text: string, start: number, end: number): string | null {
  const name = text.slice(start + 1, end);
  if (!name.includes('\\')) return name;
  try {
    return JSON.parse(text.slice(start, end + 1)) as string;
  } catch {
    return null;
  }
}

/** Where a number ends. In JSON, only characters of the number follow a digit before that end. */
function endOfNumber(text: string, start: number): number {
  let at = start + 1;
  while (isOfNumber(text.charCodeAt(at))) at += 1;
  return at;
}

/** A digit, `.`, `+`, `-`, `e` or `E`; false for the NaN behind the last character. */
function isOfNumber(code: number): boolean {
  return (code >= ZERO && code <= NINE) || code === 0x2e || code === 0x2b || code === 0x2d || (code | 0x20) === 0x65;
}

/** Whether a number fits a double. JSON.parse turns 1e309 into `Infinity`, which would be stored as `null`. */
function isHeldByDouble(text: string, start: number, end: number): boolean {
  if (end - start < SHORTEST_BEYOND) return true;
  if (end - start <= DIGITS_OF_A_DOUBLE && !hasExponent(text, start, end)) return true;
  return Math.abs(Number(text.slice(start, end))) !== Infinity;
}

function hasExponent(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if ((text.charCodeAt(at) | 0x20) === 0x65) return true;
  return false;
}
