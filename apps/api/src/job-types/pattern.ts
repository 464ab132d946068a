import { setFlagsFromString } from 'node:v8';

// Some patterns need hours for a text of sixty characters, since V8 tries one way after the other. With this flag, V8
// changes after 50,000 tries to an algorithm whose time grows linearly with the text. It cannot do so for look-around,
// back references and the flag `u`. https://v8.dev/blog/non-backtracking-regexp
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

/** Parts of patterns that need the flag `u`: properties, code points, characters outside the basic plane. */
const needsFlag = /\\[pP]\{|\\u\{|\\u[dD][89a-fA-F]|[\ud800-\udfff]/;
const PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g;

interface Pattern {
  test(text: string): boolean;
  toString(): string;
}

/**
 * Compiles a pattern of JSON Schema, without the flag `u` where the pattern allows. A surrogate pair counts as one
 * character.
 */
function compilePattern(pattern: string, flags: string): Pattern {
  if (needsFlag.test(pattern)) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      return new RegExp(pattern); // the pattern is valid only without the flag
    }
  }
  const plain = new RegExp(pattern);
  return {
    test: (text) => plain.test(text.replace(PAIRS, '\ue000')),
    toString: () => plain.toString(), // Ajv caches patterns by this text
  };
}

/** The compiler in the form of Ajv's option `code.regExp`. */
export const regExp = Object.assign(compilePattern, { code: 'new RegExp' });
