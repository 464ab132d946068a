import { existsSync, readdirSync, readFileSync, statSync, watch, type FSWatcher } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * Milliseconds in which changes are reported together: an editor saves a file in several steps, and often several
 * files.
 */
const GATHER_MS = 50;

/**
 * Reports programs whose sources have changed: files beside the program, and in `src` of each library that its
 * package.json needs, directly or indirectly. Tests do not count as sources.
 *
 * @param mains the programs, from `root`
 * @param onChange gets those of `mains` that need a changed source
 * @returns a function that ends watching
 */
export function watchSources(
  root: string,
  mains: readonly string[],
  onChange: (changed: readonly string[]) => void,
): () => void {
  const mainsOf = new Map<string, Set<string>>(); // by folder
  for (const main of new Set(mains)) {
    for (const folder of foldersOf(root, main)) mainsOf.set(folder, (mainsOf.get(folder) ?? new Set()).add(main));
  }
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  function tell(): void {
    const all = [...changed];
    changed.clear();
    timer = undefined;
    onChange(all);
  }
  // Each folder alone: the recursive watch of Node.js 20 follows files, and loses one that an editor replaces.
  const watchers = new Map<string, FSWatcher>();
  function watchFolder(folder: string, itsMains: ReadonlySet<string>): void {
    watchers.get(folder)?.close(); // the watcher of a removed folder of this name
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name === null) return;
      if (isFolder(join(folder, name))) return watchFolder(join(folder, name), itsMains);
      if (!isSource(name)) return;
      for (const main of itsMains) changed.add(main);
      timer ??= setTimeout(tell, GATHER_MS);
    });
    watcher.on('error', () => undefined); // the folder was removed
    watchers.set(folder, watcher);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) watchFolder(join(folder, entry.name), itsMains);
    }
  }
  for (const [folder, itsMains] of mainsOf) watchFolder(resolve(root, folder), itsMains);
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function isSource(file: string): boolean {
  return /\.[cm]?[jt]s$|\.json$/.test(file) && !/\.spec\.ts$|^spec-/.test(file);
}

/** The folder of a program, and `src` of all libraries that it needs. */
function foldersOf(root: string, main: string): string[] {
  const libraries = new Set<string>();
  function add(folder: string): void {
    const file = resolve(root, folder, 'package.json');
    const { dependencies = {} } = JSON.parse(readFileSync(file, 'utf8')) as { dependencies?: Record<string, string> };
    for (const name of Object.keys(dependencies)) {
      const library = name.replace(/^@offload\//, 'libs/');
      if (libraries.has(library) || !existsSync(join(root, library, 'package.json'))) continue;
      libraries.add(library);
      add(library);
    }
  }
  add(dirname(dirname(main)));
  return [dirname(main), ...[...libraries].map((library) => join(library, 'src'))];
}
