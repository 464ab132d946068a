import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startSystem, type System, type SystemProcess, withClient } from '@offload/running-system';
import { eventually } from '@offload/spec-kit';
import { readDocument, type Document, type Operation } from './document.ts';
import { heavyBodies, heavyValues, LIMIT_BYTES } from './heavy.ts';
import { collectable, longestTurn } from './vitals.ts';

let system: System;
let api: SystemProcess;
let worker: SystemProcess;
let document: Document;
beforeAll(async () => {
  system = await startSystem();
  [api, worker] = await Promise.all([
    system.startApi({ LOG_LEVEL: 'info', ...collectable }),
    system.startWorker({ LOG_LEVEL: 'info', ...collectable }),
  ]);
  document = await readDocument(api.url);
}, 60_000);
afterAll(() => system.stop());

const codings: [name: string, code: (text: string) => Buffer][] = [
  ['identity', (text) => Buffer.from(text)],
  ['gzip', (text) => gzipSync(text, { level: 1 })],
  ['deflate', (text) => deflateSync(text, { level: 1 })],
  ['br', (text) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } })],
];

interface Answered {
  status: number;
  body: string;
}

async function send(method: string, path: string, text: string, place: number): Promise<Answered> {
  const [coding, code] = codings[place % codings.length] as (typeof codings)[number];
  const response = await fetch(api.url + path, {
    method: method.toUpperCase(),
    headers: { 'Content-Type': 'application/json', 'Content-Encoding': coding },
    ...(!['get', 'head'].includes(method) && { body: code(text) }),
  });
  return { status: response.status, body: await response.text() };
}

/** Resolves when the worker has nothing left to run. @returns how long its longest turn has taken */
async function workersTurn(): Promise<number> {
  const unfinished = `select count(*)::int as count from jobs where status in ('queued', 'running')`;
  await withClient(system.environment['DATABASE_URL'] as string, (client) =>
    eventually(async () => expect((await client.query(unfinished)).rows).toEqual([{ count: 0 }]), {
      timeoutMs: 60_000,
    }),
  );
  return longestTurn(worker);
}

/** A CSV as people have it, as long as it may be; and as many jobs as one request may make. */
const innocents = [
  ['/v1/jobs', { type: 'csv.profile', payload: { csv: `id,name,price\n${'17,"Ann Smith",9.5\n'.repeat(46_000)}` } }],
  ['/v1/jobs/batch', { jobs: Array(1_000).fill({ type: 'demo.echo', payload: { message: 'x'.repeat(900) } }) }],
] as const;

/** How long the event loops are held by innocent bodies at most. */
async function innocentTurns(): Promise<{ api: number; worker: number }> {
  await Promise.all([longestTurn(api), workersTurn()]);
  for (const [path, body] of innocents) {
    const text = JSON.stringify(body);
    expect([text.length > 0.8 * LIMIT_BYTES, (await send('post', path, text, 0)).status]).toEqual([true, 202]);
  }
  return { api: await longestTurn(api), worker: await workersTurn() };
}

/** How often a body is measured until it counts as late: other work on the machine shows in a measurement. */
const CHANCES = 3;
/** After so many late bodies no other is tried: each costs seconds. */
const MOST_LATE = 3;

it('is held for no longer by any heavy body, to any call, than three times as long as by an innocent one', async () => {
  await innocentTurns(); // while code is still being compiled
  let innocent = await innocentTurns();
  const late: string[] = [];
  for (const { method, path, operation } of calls(document)) {
    const made: { name: string; body: string }[] = [];
    for (const [place, { kind, body }] of mixed(operation).entries()) {
      if (late.length >= MOST_LATE) break;
      const name = `${method} ${path} with ${kind}, ${body.slice(0, 100)}`;
      for (let chance = 1; ; chance += 1) {
        const answer = await send(method, path, body, place);
        expect([name, faultOf(answer)]).toEqual([name, null]);
        const held = await longestTurn(api);
        if (answer.status === 202) made.push({ name, body });
        if (held <= 3 * innocent.api) break;
        if (chance === CHANCES && late.push(`${held.toFixed()} ms: ${name}`)) break;
        if (chance > 1) innocent = greater(innocent, await innocentTurns());
      }
    }
    for (let chance = 1; made.length > 0; chance += 1) {
      const held = await workersTurn();
      if (held <= 3 * innocent.worker) break;
      if (chance === CHANCES && late.push(`worker, ${held.toFixed()} ms: ${made.map(({ name }) => name).join('; ')}`))
        break;
      if (chance > 1) innocent = greater(innocent, await innocentTurns());
      for (const [place, { body }] of made.entries()) await send(method, path, body, place);
    }
  }
  expect({ innocent, late }).toEqual({ innocent, late: [] });
}, 240_000); // 20 s on a machine that does nothing else

const greater = (one: { api: number; worker: number }, other: { api: number; worker: number }) => ({
  api: Math.max(one.api, other.api),
  worker: Math.max(one.worker, other.worker),
});

function calls({ paths }: Document) {
  const id = '00000000-0000-7000-8000-000000000000';
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => method !== 'get') // has no body
      .map(([method, operation]) => ({ method, path: path.replace(/\{\w+\}/g, id), operation })),
  );
}

/**
 * Items that are strings, which few places take, and two other kinds of heavy values in turn, for each place in a body.
 */
function mixed(operation: Operation): { kind: string; body: string }[] {
  const kinds = Object.keys(heavyValues);
  const here = '"a heavy value"';
  return heavyBodies(document, operation, here).flatMap((body, place) =>
    [2 * place, 2 * place + 1, kinds.indexOf('strings')].map((index) => {
      const kind = kinds[index % kinds.length] as string;
      return { kind, body: body.replace(here, () => heavyValues[kind] as string) };
    }),
  );
}

function faultOf({ status, body }: Answered): string | null {
  if (status < 400) return null;
  const { type, errors = [] } = JSON.parse(body) as { type: string; errors?: unknown[] };
  if (status >= 500 && type !== '/problems/overloaded') return `${status} ${body.slice(0, 500)}`;
  if (errors.length > 50) return `${errors.length} errors`;
  return body.length > 64 * 1024 ? `a problem of ${body.length} bytes` : null;
}
