import { extname } from 'node:path';

/**
 * The program of a thread that runs the module `file`, for `new Worker(…, { eval: true })`. Run from sources, a thread
 * has to register the TypeScript loader itself: the process's own does not reach its imports.
 */
export function threadProgram(file: URL): string {
  const program = `import(${JSON.stringify(file.href)})`;
  if (extname(file.pathname) !== '.ts') return program;
  const loader = import.meta.resolve('tsx/esm/api');
  return `import(${JSON.stringify(loader)}).then(({ register }) => (register(), ${program}))`;
}
