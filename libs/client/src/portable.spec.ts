import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createContext, SourceTextModule, type Context, type Module } from 'node:vm';
import { expect, it } from '@jest/globals';
import ts from 'typescript';
import type * as client from './index.ts';
import { answer, cut, ended, job, JOB_ID, problem, serve, succeeded } from './spec-server.ts';

const src = import.meta.dirname;
const parserFile = join(dirname(createRequire(import.meta.url).resolve('eventsource-parser')), 'index.js');

/** The globals of every runtime with fetch, and none of Node.js. */
const { AbortController, clearTimeout, crypto, fetch, Headers, performance, setTimeout, TextDecoder, URL } = globalThis;
const web = { AbortController, clearTimeout, crypto, fetch, Headers, performance, setTimeout, TextDecoder, URL };

/** Compiles a source: types are removed, imports stay. */
async function compiled(file: string): Promise<string> {
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
  return ts.transpileModule(await readFile(file, 'utf8'), { compilerOptions }).outputText;
}

function importsOf(code: string): string[] {
  return ts.preProcessFile(code, true, true).importedFiles.map(({ fileName }) => fileName);
}

it('imports nothing but eventsource-parser', async () => {
  const names = (await readdir(src)).filter((name) => name.endsWith('.ts') && !/(^spec-|\.spec\.ts$)/.test(name));
  const imports = await Promise.all(names.map(async (name) => importsOf(await compiled(join(src, name)))));
  const foreign = imports.flat().filter((name) => !name.startsWith('./'));
  expect(names.length).toBeGreaterThan(10);
  expect(new Set(foreign)).toEqual(new Set(['eventsource-parser']));
});

/** Loads index.ts with all its imports in an empty context. */
async function load(context: Context): Promise<typeof client> {
  const modules = new Map<string, Module>();
  async function module(file: string): Promise<Module> {
    const code = await compiled(file);
    const made = modules.get(file) ?? new SourceTextModule(code, { context, identifier: file });
    modules.set(file, made);
    return made;
  }
  const index = await module(join(src, 'index.ts'));
  await index.link((name, from) => module(name === 'eventsource-parser' ? parserFile : join(dirname(from.identifier), name)));
  await index.evaluate();
  return index.namespace as typeof client;
} // prettier-ignore

it('runs with the globals of the web alone', async () => {
  const frame = (of: object) => `event: job.succeeded\nid: 3\ndata: ${JSON.stringify(of)}\n\n`;
  const done = succeeded();
  const notifier = await serve(ended(frame(done)));
  const links = { self: `/v1/jobs/${JOB_ID}`, events: `${notifier.url}/v1/jobs/${JOB_ID}/events` };
  const accepted = answer(202, job({ links }));
  const server = await serve(cut, accepted, answer(200, done), problem(409, 'job-finished'));

  const { createClient, OffloadProblem } = await load(createContext({ ...web }));
  const offload = createClient({ baseUrl: server.url, apiKey: 'k', backoffBaseMs: 1 });
  const submitted = await offload.submit('demo.sleep', { seconds: 1 });
  const events = [];
  for await (const { event } of submitted.events()) events.push(event);
  expect(events).toEqual(['job.succeeded']);
  expect(await offload.job(JOB_ID).wait({ timeoutMs: 5_000 })).toEqual(done.result);
  await expect(submitted.cancel()).rejects.toBeInstanceOf(OffloadProblem);
});
