import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { JobWithLinks } from '@offload/jobs/answers';
import { sql, type SystemProcess } from '@offload/running-system';
import type { Ground } from './ground.ts';
import { heavyValues } from './heavy.ts';
import { keys } from './script.ts';
import type { Phase } from './phases.ts';
import { strainOf } from './vitals.ts';

/** Number of equal requests at once. */
const CROWD = 200;
/** More bytes than the operating system buffers for a client that does not read. */
const LARGE_BYTES = 6 * 2 ** 20;
/** Milliseconds after which a silent connection counts as not closed. */
const HUNG_MS = 60_000;

/** The result of many equal requests at once. */
export interface Crowd {
  what: string;
  /** Number of answers by status; `none` without an answer. */
  answers: Map<string, number>;
  /** Null if other requests were sent meanwhile. */
  phase: Phase | null;
}

interface Answered {
  status: string;
  /** Why the answer can't be intended; null if it can. */
  fault: string | null;
  /** Null if it is not read. */
  body: string | null;
}

/**
 * Sends many requests at once: posts of a megabyte, clients that do not read large answers, and connections without a
 * byte. During each crowd, an ordinary request must be answered.
 */
export async function sendCrowds(ground: Ground, run: number): Promise<{ crowds: Crowd[]; faults: string[] }> {
  const { api, notifier, account, databaseUrl } = ground;
  const crowds: Crowd[] = [];
  const faults: string[] = [];

  async function submit(body: string): Promise<Answered> {
    const answered = await ask(api, 'POST', '/v1/jobs', { body });
    if (answered.status === '202') account.took(idOf(answered), run, 'unknown');
    return answered;
  }
  /** @param beside path of an ordinary request, which must be answered with 200 */
  async function together(
    what: string,
    process: Phase['process'],
    beside: string,
    each: (open: Open) => Promise<Answered>,
  ): Promise<void> {
    const site = ground[process];
    await strainOf(site);
    const open: Open = [];
    const going = Array.from({ length: CROWD }, () => each(open));
    const [ordinary, answered] = await Promise.all([ask(site, 'GET', beside, { open }), Promise.all(going)]);
    for (const asked of open) asked.destroy();
    const answers = counted(answered.map(({ status }) => status));
    crowds.push({ what, answers, phase: { what, process, strain: await strainOf(site) } });
    const wrong = new Set(answered.flatMap(({ fault }) => fault ?? []));
    faults.push(...[...wrong].map((fault) => `one of ${CROWD} ${what}: ${fault}`));
    if (!answered.some(({ status }) => /^2/.test(status))) faults.push(`none of ${CROWD} ${what} is answered with 2xx`);
    if (ordinary.status !== '200') faults.push(`beside ${CROWD} ${what} a call is answered with ${ordinary.status}`);
  }

  const silent = Promise.all([api, notifier].map(sayNothing));
  const small = idOf(await submit('{"type":"demo.sleep","payload":{}}'));
  const large = idOf(await submit('{"type":"demo.sleep","payload":{}}'));
  await sql(
    databaseUrl,
    `update jobs set status = 'succeeded', finished_at = now(), result = to_jsonb(repeat('x', $2)) where id = $1`,
    [large, LARGE_BYTES],
  );
  const letters = `{"type":"csv.profile","payload":{"csv":${heavyValues['letters']}}}`;
  await together('posts of 1 MiB', 'api', `/v1/jobs/${small}`, () => submit(letters));
  const unread = [
    ['unread jobs of 6 MiB', 'api', `/v1/jobs/${small}`, `/v1/jobs/${large}`],
    ['unread results of 6 MiB', 'api', `/v1/jobs/${small}`, `/v1/jobs/${large}/result`],
    ['unread pages', 'api', `/v1/jobs/${small}`, '/v1/jobs?limit=200'],
    ['unread streams of a job of 6 MiB', 'notifier', `/v1/jobs/${small}/events`, `/v1/jobs/${large}/events`],
  ] as const;
  for (const [what, process, beside, path] of unread)
    await together(what, process, beside, (open) => ask(ground[process], 'GET', path, { open }));
  for (const [place, answers] of (await silent).entries()) {
    const what = `silent connections to ${place === 0 ? 'the api' : 'the notifier'}`;
    const closed = answers.get('408') ?? 0;
    if (closed !== CROWD) faults.push(`${CROWD - closed} of ${CROWD} ${what} are not closed with 408`);
    crowds.push({ what, answers, phase: null });
  }
  return { crowds, faults };
}

/** Requests whose answers are not read. They end when they are destroyed. */
type Open = ClientRequest[];

/** @param options.open gets the request when its answer is 2xx. The body is not read then. */
function ask(site: SystemProcess, method: string, path: string, { body, open }: { body?: string; open?: Open }) {
  const headers = {
    authorization: `Bearer ${keys.all}`,
    ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  };
  const asked = request(site.url + path, { method, headers, agent: false, timeout: HUNG_MS });
  return new Promise<Answered>((resolve) => {
    const unanswered = ({ message }: Error) => resolve({ status: 'none', fault: `no answer: ${message}`, body: null });
    asked.once('response', (response) => {
      const { statusCode = 0 } = response;
      const status = String(statusCode);
      if (open && statusCode < 300) {
        open.push(asked);
        response.on('error', () => undefined);
        return resolve({ status, fault: null, body: null });
      }
      text(response).then((read) => resolve({ status, fault: faultOf(response, read), body: read }), unanswered);
    });
    asked.on('error', unanswered);
    asked.once('timeout', () => asked.destroy(new Error('not in time')));
    asked.end(body);
  });
}

/** A client may be asked to come back later, after a given time. */
function faultOf({ statusCode = 0, headers }: IncomingMessage, body: string): string | null {
  if (statusCode < 300) return null;
  const { type } = JSON.parse(body) as { type: string };
  const isIntended = statusCode === 503 && type === '/problems/overloaded' && headers['retry-after'] !== undefined;
  return isIntended ? null : `${statusCode} ${body.slice(0, 500)}`;
}

function idOf({ status, body }: Answered): string {
  if (status !== '202') throw new Error(`a job is answered with ${status} ${body}`);
  return (JSON.parse(body as string) as JobWithLinks).id;
}

/** Opens connections without sending a byte. @returns what the server sends before it closes them */
async function sayNothing({ url }: SystemProcess): Promise<Map<string, number>> {
  const { hostname, port } = new URL(url);
  const closed = Array.from({ length: CROWD }, async () => {
    const socket = connect(Number(port), hostname).setTimeout(HUNG_MS);
    socket.once('timeout', () => socket.destroy());
    const said = await text(socket).catch(() => '');
    return /^HTTP\/1\.1 (\d{3})/.exec(said)?.[1] ?? 'none';
  });
  return counted(await Promise.all(closed));
}

function counted(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
