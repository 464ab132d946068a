import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { PermanentError } from '@offload/worker';
import { profileCsv } from './csv.profile.records.ts';

/**
 * What Python's csv module finds in a file, or why csv.profile is to refuse it: see the script beside the reference.
 */
interface Expected {
  sha256: string;
  refused?: keyof typeof reasons;
  separator?: string;
  rows?: number;
  columns?: number;
}

const modules = join(import.meta.dirname, '../../../../node_modules');
const reference: Record<string, Expected> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/published-reference.json'), 'utf8'),
);
const reasons = {
  quotes: /^line \d+: (a quote inside a field|text between a closing quote and the end)/,
  uneven: /^line \d+: \d+ fields? where the header has \d+$/,
  'equal names': /^line 1: two columns are named/,
  empty: /^line 1: the CSV is empty/,
};

describe('a CSV in an npm package', () => {
  it.each(Object.entries(reference))(
    '%s has the rows and columns that Python counts, or is refused',
    async (...given) => {
      const [name, { sha256, refused, ...expected }] = given;
      const bytes = readFileSync(join(modules, name));
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256); // otherwise run the script again
      const profiling = profileCsv(Readable.from([bytes]));
      if (refused) {
        await expect(profiling).rejects.toThrow(PermanentError);
        await expect(profiling).rejects.toThrow(reasons[refused]);
      } else {
        const { rows, separator, columns } = await profiling;
        expect({ rows, separator, columns: columns.length }).toEqual(expected);
      }
    },
  );

  it('is read in 72 cases or more', () => {
    expect(Object.values(reference).filter(({ refused }) => !refused).length).toBeGreaterThanOrEqual(72);
  });
});
