import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';

const page = join(import.meta.dirname, '../../docs/performance.md');

/** A line for below a table: the machine, its software, and the date. */
export function circumstances(more: string[] = []): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} cores (${cpu?.model.trim()}), ${Math.round(totalmem() / 1024 ** 3)} GiB`;
  return `(${[new Date().toISOString().slice(0, 10), machine, `Node.js ${process.versions.node}`, ...more].join('; ')})`;
}

/** Replaces the text between the markers of a section of docs/performance.md, and formats the page. */
export async function writeSection(name: string, content: string): Promise<void> {
  const [begin, end] = [`<!-- ${name}: measured -->`, `<!-- ${name}: end -->`];
  const text = await readFile(page, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for ${name}`);
  await writeFile(page, `${text.slice(0, from + begin.length)}\n\n${content}\n\n${text.slice(to)}`);
  execFileSync(process.execPath, [join(import.meta.dirname, '../../node_modules/.bin/prettier'), '--write', page], {
    stdio: 'ignore',
  });
}

/** Formats a table as Markdown. */
export function table([head = [], ...rows]: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}
