import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { watchSources } from './watch-sources.ts';

const [api, worker] = ['apps/api/src/main.ts', 'apps/worker/src/main.ts'];
let root = '';
let end: () => void;
let told: string[][];
let wake = (): void => {};

function write(file: string, text = ''): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

/** Changes a source of an app or a library of this test. */
const change = (folder: string, name: string, text: string) => write(`${folder}/src/${name}`, text);

function needs(folder: string, ...names: string[]): void {
  const dependencies = Object.fromEntries(names.map((name) => [name, '*']));
  write(`${folder}/package.json`, JSON.stringify({ dependencies }));
}

/** Waits for the next report. */
async function next(): Promise<string[]> {
  while (told.length === 0) await new Promise<void>((resolve) => (wake = resolve));
  return (told.shift() as string[]).sort();
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'offload-watch-'));
  told = [];
  needs('apps/api', '@offload/database', 'express');
  needs('apps/worker', '@offload/worker');
  needs('libs/worker', '@offload/database');
  needs('libs/database', '@offload/batcher');
  needs('libs/batcher');
  for (const file of [api, worker]) write(file);
  for (const library of ['worker', 'database', 'batcher']) change(`libs/${library}`, 'deep/file.ts', '');
  end = watchSources(root, [api, worker, worker], (changed) => {
    told.push([...changed]);
    wake();
  });
});
afterEach(() => {
  end();
  rmSync(root, { recursive: true });
});

it('reports the program whose own files change', async () => {
  write(worker, '1');
  expect(await next()).toEqual([worker]);
});

it('reports each program that needs a changed library, also indirectly', async () => {
  change('libs/worker', 'deep/file.ts', '1');
  expect(await next()).toEqual([worker]);
  change('libs/batcher', 'deep/file.ts', '1');
  expect(await next()).toEqual([api, worker]);
});

it('ignores tests, and reports simultaneous changes together', async () => {
  change('apps/api', 'main.spec.ts', '1');
  change('apps/api', 'spec-main.ts', '1');
  write(worker, '1');
  change('libs/worker', 'deep/file.ts', '2');
  expect(await next()).toEqual([worker]);
  expect(told).toEqual([]);
});

it('follows a file that an editor replaces, each time', async () => {
  for (const text of ['1', '2', '3']) {
    write(`${worker}.tmp`, text);
    renameSync(join(root, `${worker}.tmp`), join(root, worker));
    expect(await next()).toEqual([worker]);
  }
});
