import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes the outputs of processes to a folder. @param outputs by name of the process */
export async function keepLogs(folder: string, outputs: ReadonlyMap<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of outputs) await writeFile(join(folder, `${name}.log`), text);
}
