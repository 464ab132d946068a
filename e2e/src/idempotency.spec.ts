import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { JobPage, JobWithLinks } from '@offload/jobs/answers';
import { startSystem, type System, type SystemProcess } from '@offload/running-system';
import type { Site } from '@offload/running-system/requests';

const POSTS = 1_000;

let system: System;
let apis: [SystemProcess, SystemProcess];

beforeAll(async () => {
  system = await startSystem(); // without a worker, so that no job finishes
  apis = await Promise.all([system.startApi(), system.startApi()]);
});
afterAll(() => system?.stop());

interface Answer {
  status: number;
  replayed: boolean;
  deduplicated: boolean;
  body: string;
  ids: string[];
}

interface Request {
  path: string;
  body: string;
  headers: Record<string, string>;
}

async function send(api: Site, { path, body, headers }: Request): Promise<Answer> {
  const response = await fetch(api.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  });
  const text = await response.text();
  const parsed = JSON.parse(text) as Partial<JobWithLinks> & { jobs?: JobWithLinks[] };
  const jobs = response.ok ? (parsed.jobs ?? [parsed as JobWithLinks]) : [];
  return {
    status: response.status,
    replayed: response.headers.get('idempotency-replayed') === 'true',
    deduplicated: response.headers.get('deduplicated') === 'true',
    body: text,
    ids: jobs.map(({ id }) => id),
  };
}

/** A request with a new key, and with a tag that finds its jobs. */
function oneJob(headers: Record<string, string> = { 'idempotency-key': `"${randomUUID()}"` }, more: object = {}) {
  const tag = randomUUID();
  const job = { type: 'demo.sleep', payload: { seconds: 1 }, tags: [tag], ...more };
  return { tag, jobs: 1, request: { path: '/v1/jobs', body: JSON.stringify(job), headers } };
}

function threeJobs() {
  const { tag, request } = oneJob();
  const body = `{"jobs":[${request.body},${request.body},${request.body}]}`;
  return { tag, jobs: 3, request: { ...request, path: '/v1/jobs/batch', body } };
}

async function stored(tag: string): Promise<string[]> {
  const response = await fetch(`${apis[1].url}/v1/jobs?limit=200&tag=${tag}`);
  const page = (await response.json()) as JobPage;
  expect(page.nextCursor).toBeNull();
  return page.jobs.map(({ id }) => id).sort();
}

/** Sends the request many times at once, to these apis in turn. */
function sendAll(sites: readonly Site[], request: Request): Promise<Answer[]> {
  return Promise.all(Array.from({ length: POSTS }, (_, n) => send(sites[n % sites.length] as Site, request)));
}

/** The number of answers of each kind, and the first answers, which made the jobs. */
function kinds(answers: readonly Answer[]) {
  const first = answers.filter(({ status, replayed }) => status === 202 && !replayed);
  const replays = answers.filter(({ status, replayed }) => status === 202 && replayed);
  const inFlight = answers.filter(({ status }) => status === 409);
  for (const { body } of inFlight) expect(JSON.parse(body).type).toBe('/problems/idempotency-key-in-flight');
  expect(answers.length - first.length - replays.length - inFlight.length).toBe(0);
  return { first, replays, inFlight };
}

const requests = [
  ['job', oneJob],
  ['batch', threeJobs],
] as const;

describe(`${POSTS} posts at once with one Idempotency-Key`, () => {
  it.each(requests)('make one %s at one api, and are answered with it', async (_what, make) => {
    const { tag, jobs, request } = make();
    await expectOne([apis[0]], request, tag, jobs);
  });

  it.each(requests)('make one %s at two apis, and are answered with it', async (_what, make) => {
    const { tag, jobs, request } = make();
    await expectOne(apis, request, tag, jobs);
  });

  async function expectOne(sites: readonly Site[], request: Request, tag: string, jobs: number): Promise<void> {
    const { first, replays } = kinds(await sendAll(sites, request));
    expect(first).toHaveLength(1);
    const [answer] = first as [Answer];
    expect(answer.ids).toHaveLength(jobs);
    for (const site of sites) {
      const again = await send(site, request);
      expect(again).toEqual({ ...answer, replayed: true });
    }
    for (const replay of replays) expect(replay.body).toBe(answer.body);
    expect(await stored(tag)).toEqual([...answer.ids].sort());
  }
});

describe(`an api is killed while ${POSTS} posts with one Idempotency-Key come to two`, () => {
  const cases = [1, 300].flatMap((after) => requests.map(([what, make]) => [what, after, make] as const));
  it.each(cases)('they make one %s, and each answer has it (killed at answer %i)', async (_what, after, make) => {
    const { tag, jobs, request } = make();
    const victim = await system.startApi();
    const answers: Answer[] = [];
    let cut = 0;
    let killed: Promise<unknown> | undefined;

    /** A client that repeats the request at the other api after a cut. */
    async function client(site: Site): Promise<void> {
      const answer = await send(site, request).catch((error: unknown) => {
        if (site === victim) return null;
        throw error; // only the killed api may cut a request
      });
      if (answer === null) {
        cut += 1;
        return client(apis[1]);
      }
      answers.push(answer);
      if (answers.length === after) killed = victim.kill('SIGKILL');
    }

    // So many at once that some are still unsent at the kill, however fast the api answers.
    const atOnce = 200;
    const inTurn = async (site: Site) => {
      for (let sent = 0; sent < POSTS / atOnce; sent += 1) await client(site);
    };
    await Promise.all(Array.from({ length: atOnce }, (_, n) => inTurn(n % 2 === 0 ? victim : apis[1])));
    await killed;
    expect(cut).toBeGreaterThan(0);

    const { first, replays } = kinds(answers);
    const last = await send(apis[1], request);
    expect(last).toMatchObject({ status: 202, replayed: true });
    expect(first.length).toBeLessThanOrEqual(1); // none if the killed api had sent it
    for (const { body } of [...first, ...replays]) expect(body).toBe(last.body);
    expect(last.ids).toHaveLength(jobs);
    expect(await stored(tag)).toEqual([...last.ids].sort());
  });
});

describe(`${POSTS} posts at once with one dedupeKey at two apis`, () => {
  it('make one job while it is not finished, and are answered with it', async () => {
    const { tag, request } = oneJob({}, { dedupeKey: randomUUID() });
    const answers = await sendAll(apis, request);
    const made = answers.filter(({ deduplicated }) => !deduplicated);
    const found = answers.filter(({ deduplicated }) => deduplicated);
    expect(made.map(({ status }) => status)).toEqual([202]);
    expect(new Set(found.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.flatMap(({ ids }) => ids)).size).toBe(1);
    expect(await stored(tag)).toEqual(made[0]?.ids);
  });

  it('make one more when it is', async () => {
    const dedupeKey = randomUUID();
    const { ids } = await send(apis[0], oneJob({}, { dedupeKey }).request);
    const { tag, request } = oneJob({}, { dedupeKey });
    await fetch(`${apis[0].url}/v1/jobs/${ids[0]}/cancel`, { method: 'POST' });

    const answers = await sendAll(apis, request);
    const made = answers.filter(({ status }) => status === 202);
    expect(made).toHaveLength(1);
    expect(made[0]?.ids).not.toEqual(ids);
    expect(new Set(answers.flatMap((answer) => answer.ids)).size).toBe(1);
    expect(await stored(tag)).toEqual(made[0]?.ids);
  });
});

it('has logged no error after all of this', () => {
  const faults = apis.flatMap(({ log }) => log.filter(({ level }) => level === 'error' || level === 'fatal'));
  expect(faults).toEqual([]);
});
