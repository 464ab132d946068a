import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './program.ts';

/** Profiles that Python's standard library has computed. The Python program lies beside them. */
const REFERENCE = 'apps/worker/fixtures/profile-reference.json';

/** A CSV of the npm package vega-datasets, with its reference profile. */
export async function publishedCsv(name: string): Promise<{ csv: string; profile: unknown }> {
  const reference = JSON.parse(await readFile(join(repository, REFERENCE), 'utf8')) as Record<string, unknown>;
  const csv = await readFile(join(repository, 'node_modules/vega-datasets/data', name), 'utf8');
  return { csv, profile: agreedProfile(reference[name]) };
}

/** Rounds the numbers of a profile to 12 digits, because the last bits of a sum depend on the order of its terms. */
export function agreedProfile(profile: unknown): unknown {
  return JSON.parse(JSON.stringify(profile), (_key, value) =>
    typeof value === 'number' ? Number(value.toPrecision(12)) : value,
  );
}
