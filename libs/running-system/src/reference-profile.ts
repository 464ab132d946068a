import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './program.ts';

/** Profiles computed by Python's standard library; the program stands beside them. */
const REFERENCE = 'apps/worker/fixtures/profile-reference.json';

/** A CSV of the npm package vega-datasets, and what an independent program says about it. */
export async function publishedCsv(name: string): Promise<{ csv: string; profile: unknown }> {
  const reference = JSON.parse(await readFile(join(repository, REFERENCE), 'utf8')) as Record<string, unknown>;
  const csv = await readFile(join(repository, 'node_modules/vega-datasets/data', name), 'utf8');
  return { csv, profile: agreedProfile(reference[name]) };
}

/** A profile with its numbers to 12 digits: the last bits of a double depend on the order of its sums. */
export function agreedProfile(profile: unknown): unknown {
  return JSON.parse(JSON.stringify(profile), (_key, value) =>
    typeof value === 'number' ? Number(value.toPrecision(12)) : value,
  );
}
