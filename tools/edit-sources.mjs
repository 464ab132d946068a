import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Edits sources of a copy of this repository.
 *
 * @param folder the copy's root
 * @param edits a list of `[file, from, to]`, with paths from the root
 * @throws Error when a file does not have `from` exactly once
 */
export function editSources(folder, edits) {
  for (const [path, text] of edited(folder, edits)) writeFileSync(path, text);
}

/**
 * Computes the result of {@link editSources} without writing it.
 *
 * @returns each file's path, with its text after all its edits
 * @throws Error when a file does not have `from` exactly once
 */
export function edited(folder, edits) {
  const texts = new Map();
  for (const [file, from, to] of edits) {
    const path = join(folder, file);
    const parts = (texts.get(path) ?? readFileSync(path, 'utf8')).split(from);
    if (parts.length === 1) throw new Error(`${file} no longer says: ${from}`);
    if (parts.length > 2) throw new Error(`${file} says it ${parts.length - 1} times: ${from}`);
    texts.set(path, parts.join(to));
  }
  return texts;
}
