import { setFlagsFromString } from 'node:v8';

// Some patterns take a text of sixty characters for longer than anybody waits, since V8 tries one way after the other. With this,
// it goes all ways at once where the first 50,000 have led nowhere: then the time grows with the text alone. It can't do so for
// look-around, back references and the flag `u`. https://v8.dev/blog/non-backtracking-regexp
setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks');

/** What means something else, or nothing, without the flag `u`: properties, code points, characters outside the basic plane. */
const needsFlag = /\\[pP]\{|\\u\{|\\u[dD][89a-fA-F]|[\ud800-\udfff]/;
const PAIRS = /[\ud800-\udbff][\udc00-\udfff]/g;

interface Pattern {
  test(text: string): boolean;
  toString(): string;
}

/** A pattern as JSON Schema has it, with the flag `u`, mostly without that flag: a pair of surrogates counts as one character. */
function compilePattern(pattern: string, flags: string): Pattern {
  if (needsFlag.test(pattern)) {
    try {
      return new RegExp(pattern, flags);
    } catch {
      return new RegExp(pattern); // it has a meaning only without the flag
    }
  }
  const plain = new RegExp(pattern);
  return {
    test: (text) => plain.test(text.replace(PAIRS, '\ue000')),
    toString: () => plain.toString(), // Ajv keeps patterns by it
  };
}

/** As Ajv takes it. */
export const regExp = Object.assign(compilePattern, { code: 'new RegExp' });
