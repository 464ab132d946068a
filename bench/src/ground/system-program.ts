import { delimiter, join } from 'node:path';
import { isExecutable } from '@offload/child-processes';

/**
 * Where a program of the system is.
 *
 * @param install brings it; resolves to why that can't be, or to null
 * @throws Error when it is neither there nor could be installed
 */
export async function systemProgram(name: string, install: () => Promise<string | null>): Promise<string> {
  const found = find(name);
  if (found !== undefined) return found;
  const why = await install();
  const installed = find(name);
  if (installed !== undefined) return installed;
  throw new Error(`${name} is not installed, and ${why ?? 'its package has put it where nobody looks'}`);
}

function find(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, '/usr/sbin', '/usr/local/sbin'].map((folder) => join(folder, name)).find(isExecutable);
}
