import { expect, it } from '@jest/globals';
import { chmod, lstat, mkdir, mkdtemp, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stranger } from '@offload/child-processes';
import { dataFolderFor, giveTo, REACHABLE_FOLDER, removeDataFolder } from './server-account.ts';

it('leaves data in place when the account can reach them, and otherwise moves them behind a link', async () => {
  const above = await realpath(await mkdtemp(join(tmpdir(), 'offload-account-')));
  const dataDir = join(above, 'rabbitmq');
  await mkdir(join(dataDir, 'data'), { recursive: true });
  await writeFile(join(dataDir, 'data', 'kept'), 'as it was');
  await chmod(above, 0o711);
  expect(dataFolderFor(dataDir, stranger && { ...stranger, name: 'stranger' })).toBe(dataDir);

  if (stranger) {
    const account = { ...stranger, name: 'stranger' };
    await chmod(above, 0o700);
    const folder = dataFolderFor(dataDir, account);
    expect(folder.startsWith(`${REACHABLE_FOLDER}/`)).toBe(true);
    expect(dataFolderFor(dataDir, account)).toBe(folder); // moved once
    expect((await lstat(dataDir)).isSymbolicLink()).toBe(true);
    expect(await readFile(join(dataDir, 'data', 'kept'), 'utf8')).toBe('as it was');
    giveTo(account, join(folder, 'data'));
    expect((await stat(join(folder, 'data', 'kept'))).uid).toBe(account.uid);
    await removeDataFolder(dataDir);
    await expect(stat(folder)).rejects.toThrow('ENOENT');
  }
  await removeDataFolder(above);
});
