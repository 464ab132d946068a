import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');

/** How large the young generation is, in MiB, before and after much that lives for a moment; in a process of its own. */
function youngGeneration(prepare: string): { before: number; after: number } {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepHeapSmall } from './libs/runtime/src/keep-heap-small.ts';
    const size = () => getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20;
    ${prepare}
    const before = size();
    const kept = [];
    for (let each = 0; each < 2_000_000; each += 1) kept[each % 50_000] = { each, text: 'job ' + each };
    console.log(JSON.stringify({ before, after: size() }));`;
  // With more room to grow than loading anything can have used up.
  const options = ['--max-semi-space-size=128', '--import', 'tsx', '--input-type=module', '--eval', program];
  const { stdout, stderr } = spawnSync(process.execPath, options, { cwd: root, encoding: 'utf8' });
  if (stderr !== '') throw new Error(stderr);
  return JSON.parse(stdout) as { before: number; after: number };
}

it('leaves the young generation as large as it was when it was called', () => {
  const kept = youngGeneration('keepHeapSmall(33);');
  expect(kept.after).toBe(kept.before);
  const grown = youngGeneration('');
  expect(grown.after).toBeGreaterThan(grown.before); // or this shows nothing
});
