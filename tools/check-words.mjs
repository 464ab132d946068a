// Fails where a text for people breaks the rules of docs/glossary.md. Documents, comments, messages and exported names
// must not have a word of `banned`. Documents and doc comments must not have a sentence over 30 words.
//
//   npm run check:words                 the whole repository
//   node tools/check-words.mjs docs     what is under docs/
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const MOST_WORDS = 30;

/** Each banned word, with its better alternatives. */
const banned = [
  // Quoted, nobody is the user of the system.
  [
    /\b(whoever|whomever|somebody|someone|(?<!["'`])nobody)\b/i,
    'name who does it: the worker, the client, the operator',
  ],
  [/\bwhatever\b/i, 'name the thing'],
  [/\b(rung|doorbells?|roll[- ]calls?)\b/i, 'dispatched, dispatch message, liveness check'],
  [/\b(a|the|its|each|no|one|lost|doubled) rings?\b/i, 'dispatch message'],
  [/\b(owed|owes|unowed)\b/i, 'pending'],
];
/** The same for the names that libraries export. */
const bannedNames = [
  [/(^|[a-z_])(Ring|Rings|Rung)(?![a-z])|^(ring|rings|rung)(?![a-z])/, 'dispatch'],
  [/(?<!ll)owed|(?<!ll)Owed|^owe/, 'pending'],
  [/[Rr]ollCall/, 'livenessCheck'],
  [/(^|[a-z])Bell(?![a-z])|^bell(?![a-z])/, 'dispatcher'],
];

/** Generated files, and records of the past with the words of their time. */
const left = [
  /\/generated\//,
  /\/migrations\//,
  /^CHANGELOG\.md$/,
  /^tools\/check-words\.mjs$/,
  /^package-lock\.json$/,
];

const root = join(import.meta.dirname, '..');
const list = execFileSync('git', ['ls-files', '-z', ...process.argv.slice(2)], { cwd: root, encoding: 'utf8' });
const files = list.split('\0').filter((file) => file !== '' && !left.some((pattern) => pattern.test(file)));
let wrong = 0;

function tell(file, line, what) {
  wrong += 1;
  process.stdout.write(`${file}:${line}: ${what}\n`);
}

/** Reports each line of a text with a banned word. */
function checkWords(file, text, firstLine, words = banned) {
  for (const [index, line] of text.split('\n').entries()) {
    for (const [pattern, better] of words) {
      const found = pattern.exec(line)?.[0];
      if (found) tell(file, firstLine + index, `"${found}": ${better}`);
    }
  }
}

/** Reports each sentence of a paragraph that is too long. A colon or a semicolon does not end a sentence. */
function checkSentences(file, paragraph, line) {
  for (const sentence of paragraph.replace(/`[^`]*`/g, '`code`').split(/(?<=[.!?]["')*_]*)\s+(?=["'(*_[]*[A-Z`])/)) {
    const words = sentence.split(/\s+/).filter((word) => /\w/.test(word)).length;
    if (words > MOST_WORDS) tell(file, line, `${words} words in a sentence: "${sentence.slice(0, 60).trim()} …"`);
  }
}

function lineOf(text, index) {
  return text.slice(0, index).split('\n').length;
}

/** Yields the paragraphs, items and cells of Markdown, without code, each with its line. */
function* paragraphsOf(markdown) {
  let paragraph = '';
  let first = 1;
  let fenced = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    if (/^\s*(```|~~~)/.test(line)) fenced = !fenced;
    const isText = !fenced && !/^\s*(```|~~~|#|\||$)/.test(line);
    const isItem = /^\s*([-*]|\d+\.)\s/.test(line);
    if ((!isText || isItem) && paragraph !== '') {
      yield [paragraph, first];
      paragraph = '';
    }
    if (!fenced && /^\s*\|/.test(line)) for (const cell of line.split(/(?<!\\)\|/)) yield [cell, index + 1];
    if (!isText) continue;
    if (paragraph === '') first = index + 1;
    paragraph += `${line.trim()} `;
  }
  if (paragraph !== '') yield [paragraph, first];
}

function checkMarkdown(file, text) {
  checkWords(file, text, 1);
  for (const [paragraph, line] of paragraphsOf(text)) checkSentences(file, paragraph, line);
}

/** Checks the comments of TypeScript and JavaScript, and their texts: log messages, problems, titles of tests. */
function checkSource(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const seen = new Set();
  const visit = (node) => {
    for (const { pos, end } of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) comment(pos, end);
    for (const { pos, end } of ts.getTrailingCommentRanges(text, node.getEnd()) ?? []) comment(pos, end);
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node);
    if (isText || ts.isJsxText(node)) checkWords(file, node.getText(source), lineOf(text, node.getStart(source)));
    ts.forEachChild(node, visit);
  };
  function comment(pos, end) {
    if (seen.has(pos)) return;
    seen.add(pos);
    const comment = text.slice(pos, end);
    const line = lineOf(text, pos);
    checkWords(file, comment, line);
    if (!comment.startsWith('/**')) return;
    const lines = comment.slice(3, -2).replace(/^\s*\* ?/gm, '');
    for (const part of lines.split(/\n\s*\n|\n\s*- |(?=@(?:param|returns|throws|default|example)\b)/)) {
      if (!part.startsWith('@example')) checkSentences(file, part.replace(/\s+/g, ' '), line);
    }
  }
  visit(source);
  if (/^libs\/[\w-]+\/src\/index\.ts$/.test(file)) checkNames(file, source, text);
}

function checkNames(file, source, text) {
  const visit = (node) => {
    if (ts.isExportSpecifier(node)) checkWords(file, node.name.text, lineOf(text, node.getStart(source)), bannedNames);
    ts.forEachChild(node, visit);
  };
  visit(source);
}

for (const file of files) {
  const check = /\.md$/.test(file) ? checkMarkdown : /\.(tsx?|mjs|js)$/.test(file) ? checkSource : null;
  const plain = /\.(py|sql|ya?ml|conf|example|prisma)$/.test(file);
  if (check === null && !plain) continue;
  const text = readFileSync(join(root, file), 'utf8');
  if (check) check(file, text);
  else checkWords(file, text, 1);
}
process.stdout.write(`${files.length} files checked, ${wrong} places wrong\n`);
process.exit(wrong === 0 ? 0 : 1);
