import { setTimeout as delay } from 'node:timers/promises';
import type { QueueInfo } from '@offload/jobs/answers';
import { startProgram, type Environment, type Program, type System } from '@offload/running-system';
import { clientOf, finished, post, submit, type Site } from '@offload/running-system/requests';
import { figure, median, ms } from '../figures.ts';
import { startLoad } from './load.ts';

/** The system of the measurements. */
export interface Ground {
  system: System;
  /** Two or more. */
  apis: readonly Site[];
}

const NEW_TYPES = 20;
const JOBS_OF_A_VERSION = 40;
const KILLS = 10;
/** An address without a broker. */
const NOWHERE = 'amqp://127.0.0.1:1';

const picture = { type: 'object', properties: { width: { type: 'integer' } }, additionalProperties: false };

/** Starts a worker of one type: see picture-worker.ts. */
function startPictures({ system }: Ground, type: string, variant: string, env: Environment = {}): Program {
  const given = { ...system.environment, WORKER_PORT: '0', INSTANCE: `${type}-${variant}`, ...env };
  return startProgram('proof/registrations/picture-worker.ts', given, [type, variant]);
}

const registered = (worker: Program) => worker.line(({ msg }) => msg === 'job types registered');

/** Posts a job to all apis at once. @returns the statuses */
async function statuses(apis: readonly Site[], job: object): Promise<number[]> {
  return Promise.all(apis.map(async (api) => (await post(api, job)).status));
}

/** Registers types at one api, and posts their jobs to all apis. */
export async function newTypes({ apis }: Ground): Promise<void> {
  const tookMs: number[] = [];
  let refused = 0;
  for (let n = 0; n < NEW_TYPES; n += 1) {
    const type = `picture.new-${n}`;
    const from = performance.now();
    await clientOf(apis[n % apis.length] as Site).registerJobType(type, { payloadSchema: picture });
    const answers = await statuses(apis, { type, payload: { width: 1 } });
    tookMs.push(performance.now() - from);
    refused += answers.filter((status) => status !== 202).length;
  }
  const measured = `${ms(median(tookMs))}, worst ${ms(Math.max(...tookMs))}, ${refused} refused`;
  const pass = Math.max(...tookMs) < 1_000 && refused === 0;
  figure(`a new type until every api takes it, ${NEW_TYPES} times: median`, measured, 'each under 1 s', pass);
}

/** A worker of version 2 joins one of version 1 while payloads of version 1 are posted. Then the older worker ends. */
export async function twoVersions(ground: Ground): Promise<void> {
  const [api] = ground.apis as [Site];
  const type = 'picture.resize';
  const [older, newer] = [{ width: 640 }, { size: { width: 640 } }];
  const first = startPictures(ground, type, 'first');
  await registered(first);
  const load = startLoad(ground.apis, { type, payload: older });
  const second = startPictures(ground, type, 'second');
  await registered(second);
  const from = performance.now();
  while ((await statuses(ground.apis, { type, payload: newer })).some((status) => status !== 202)) await delay(10);
  const took = performance.now() - from;
  figure('version 2 until every api takes it', ms(took), 'under 1 s', took < 1_000);

  const both = await Promise.all([versions(api, type, older), versions(api, type, newer)]);
  const [ofOlder, ofNewer] = both.map((ran) => [1, 2].map((version) => ran.filter((one) => one === version).length));
  const side = `${ofOlder?.join(' and ')}; newer ones ${ofNewer?.join(' and ')}`;
  const isRun = ofOlder?.every((count) => count > 0) === true && ofNewer?.join() === `0,${JOBS_OF_A_VERSION}`;
  figure(`${JOBS_OF_A_VERSION} older payloads run by versions 1 and 2`, side, 'by both; newer ones by 2', isRun);
  await first.kill('SIGTERM');
  const after = await versions(api, type, older);
  const upgraded = after.filter((version) => version === 2).length;
  const all = upgraded === JOBS_OF_A_VERSION;
  figure('the same once the older worker has ended', `${upgraded} by version 2, upgraded`, 'all by version 2', all);
  await load.stop();
  await second.kill('SIGTERM');
}

/** Submits jobs of this payload. @returns the version of the worker that ran each */
async function versions(api: Site, type: string, payload: object): Promise<number[]> {
  const jobs = await Promise.all(Array.from({ length: JOBS_OF_A_VERSION }, () => submit(api, { type, payload })));
  const done = await Promise.all(jobs.map((job) => finished(api, job, 120_000)));
  return done.map(({ result }) => (result as { version: number }).version);
}

/** Starts a worker whose schema differs from the registered one of its version. */
export async function refusedWorker(ground: Ground): Promise<void> {
  const { code, output } = await startPictures(ground, 'picture.resize', 'incompatible').exited;
  const difference = /\/payloadSchema\/properties\/width\/type is \\?"string\\?", and \\?"integer\\?"/.test(output);
  const measured = `exit code ${code}, difference ${difference ? 'named' : 'not named'}`;
  figure('a worker with another schema of version 1', measured, 'ends, and names it', code !== 0 && difference);
}

/** Kills a worker after its registration, before it can tell any api: it has no broker. */
export async function lostRegistrations(ground: Ground): Promise<void> {
  const { apis } = ground;
  const [asked, listed]: [number[], number[]] = [[], []];
  for (let n = 0; n < KILLS; n += 1) {
    const type = `picture.lost-${n}`;
    const worker = startPictures(ground, type, 'first', { AMQP_URL: NOWHERE });
    await registered(worker);
    await worker.kill('SIGKILL');
    const from = performance.now();
    if (n % 2 === 0) {
      const answers = await statuses(apis, { type, payload: { width: 1 } });
      if (answers.some((status) => status !== 202)) throw new Error(`${type} was refused: ${answers.join()}`);
      asked.push(performance.now() - from);
    } else {
      await Promise.all(apis.map((api) => untilListed(api, type)));
      listed.push(performance.now() - from);
    }
  }
  const worst = [asked, listed].map((times) => Math.max(...times)) as [number, number];
  const what = 'a registration lost to kill -9';
  const half = `${KILLS / 2} times`;
  figure(`${what}, until a job is taken, ${half}`, `worst ${ms(worst[0])}`, 'each under 1 s', worst[0] < 1_000);
  figure(`${what}, until apis know it unasked, ${half}`, `worst ${ms(worst[1])}`, 'each under 6 s', worst[1] < 6_000);
}

/**
 * Waits until the api has the type in memory. It does not request the type itself, which would make the api look it up.
 */
async function untilListed(api: Site, type: string): Promise<void> {
  for (;;) {
    const { queues } = (await (await fetch(`${api.url}/v1/queues`)).json()) as { queues: QueueInfo[] };
    if (queues.some(({ types }) => types.includes(type))) return;
    await delay(20);
  }
}
