import { delimiter, join } from 'node:path';
import { isExecutable } from '@offload/child-processes';

/**
 * Finds a program of the system, or installs it.
 *
 * @param install installs it. Resolves with null, or with the reason why that can't be.
 * @throws Error when the program is missing and can't be installed
 */
export async function systemProgram(name: string, install: () => Promise<string | null>): Promise<string> {
  const found = find(name);
  if (found !== undefined) return found;
  const why = await install();
  const installed = find(name);
  if (installed !== undefined) return installed;
  throw new Error(`${name} is not installed, and ${why ?? 'its package has installed it in an unknown folder'}`);
}

function find(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...folders, '/usr/sbin', '/usr/local/sbin'].map((folder) => join(folder, name)).find(isExecutable);
}
