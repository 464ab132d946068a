import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** @param outputs of processes, by name */
export async function keepLogs(folder: string, outputs: ReadonlyMap<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of outputs) await writeFile(join(folder, `${name}.log`), text);
}
