// Words of pages and files: lines, cells, first sentences.
const WIDTH = 120;

/** @returns the text in lines of at most 120 columns, each behind `prefix` */
export function wrap(text, prefix = '') {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line === '') lines[lines.length - 1] = word;
    else if (prefix.length + line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map((line) => prefix + line).join('\n');
}

export const firstSentence = (text) => /^.*?\.(?= [A-Z0-9`]|$)/.exec(text)?.[0] ?? text;
export const capital = (text) => text[0].toUpperCase() + text.slice(1);
export const code = (text) => `\`${text}\``;
/** @returns a row of a table in Markdown */
export const row = (...cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
