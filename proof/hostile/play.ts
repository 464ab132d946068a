import { readAnswers, type Answer } from './answers.ts';
import { converse, type Conversation } from './conversation.ts';
import type { Ground } from './ground.ts';
import { judge } from './judge.ts';
import { filledIn, type Asked, type Script } from './script.ts';
import { wantedBy } from './wanted.ts';

/** The result of a script. */
export interface Played {
  faults: string[];
  /** In order. */
  answers: Answer[];
  end: Conversation['end'];
}

/** Plays a script once, and records the results. */
export async function play(given: Script, run: number, ground: Ground): Promise<Played> {
  const { port, account, api } = ground;
  const { asked, pieces, ending, sound, ...script } = resolved(given, run, account.jobId);
  const logged = api.log.length;
  const { octets, end } = await converse(port, { ...script, pieces, ending });
  const methods = asked.map(({ method }) => method);
  const { answers: all, fault } = readAnswers(octets, methods);
  const answers = all.filter(({ status }) => status >= 200);
  const faults: string[] = [];
  const left = ending === 'reset' || ending === 'vanish';
  if (fault && !(fault.cut && left)) faults.push(`no answer: ${fault.message}`);
  if (end === 'hung') faults.push('the server has not closed the connection in time');
  if (sound && answers.length !== asked.length) faults.push(`${answers.length} answers to ${asked.length} requests`);
  if (ending === 'read' && answers.length === 0) faults.push(`no answer, and the connection was ${end}`);
  if (answers.length > Math.max(1, asked.length))
    faults.push(`${answers.length} answers to ${asked.length} requests at most`);

  const answered = new Set<Asked>();
  answers.forEach((answer, place) => {
    const request = requestOf(answer, place, asked, sound);
    if (sound && request?.requestId !== null && answer.headers['x-request-id'] !== request?.requestId) {
      faults.push(`answer ${place} has X-Request-Id ${answer.headers['x-request-id']}, not ${request?.requestId}`);
    }
    if (request) answered.add(request);
    faults.push(...judge(answer, request, ground.faultsByDocument));
    faults.push(...settle(answer, request, run, ground));
  });
  for (const request of asked) if (!answered.has(request)) leaveOpen(request, run, ground);
  const marks = asked.flatMap(({ requestId }) => requestId ?? []);
  for (const line of api.log.slice(logged)) {
    const own = marks.some((mark) => JSON.stringify(line).includes(mark));
    if (own && (line.level === 'error' || line.level === 'fatal'))
      faults.push(`logged: ${JSON.stringify(line).slice(0, 700)}`);
  }
  return { faults, answers, end };
}

function resolved(script: Script, run: number, jobId: (number: number) => string): Script {
  const ids = new Map<number, string>(); // the same in the whole script
  const idOf = (number: number): string => {
    const id = ids.get(number) ?? jobId(number);
    ids.set(number, id);
    return id;
  };
  const fill = (text: string): string => filledIn(text, run, idOf);
  return {
    ...script,
    pieces: filledPieces(script.pieces, fill),
    asked: script.asked.map((asked) => ({
      ...asked,
      target: fill(asked.target),
      requestId: asked.requestId === null ? null : fill(asked.requestId),
    })),
  };
}

/** Fills in ids. A place for an id may lie across two pieces. */
function filledPieces(pieces: readonly Buffer[], fill: (text: string) => string): Buffer[] {
  const whole = Buffer.from(fill(Buffer.concat(pieces).toString('latin1')), 'latin1');
  let at = 0;
  return pieces.map(({ length }) => whole.subarray(at, (at += length)));
}

/** Finds the request of an answer. Answers are in order; if the requests are unclear, the request id decides. */
function requestOf(answer: Answer, place: number, asked: readonly Asked[], sound: boolean): Asked | null {
  if (sound) return asked[place] ?? null;
  const id = answer.headers['x-request-id'];
  return asked.find(({ requestId }) => requestId !== null && requestId === id) ?? null;
}

/** Paths of posts that make jobs, perhaps in more forms than the api accepts. */
const POSTS = /^\/v1\/jobs(\/batch)?\/?$/i;

/** The target without scheme, host and query. */
function pathOf({ target }: Asked): string {
  return target.replace(/^[a-z]+:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
}

/** Records the result of a request by its answer. */
function settle({ status, headers, body }: Answer, request: Asked | null, run: number, { account }: Ground): string[] {
  if (status >= 300 || (request && request.method !== 'POST' && request.method !== 'DELETE')) return [];
  if (!request && headers['location'] === undefined) return []; // it only reads
  if (request?.method === 'DELETE') {
    const [, id] = /\/v1\/jobs\/([0-9a-f-]{36})\/?$/i.exec(pathOf(request)) ?? [];
    if (status === 204 && id !== undefined) account.deleted(id.toLowerCase());
    return [];
  }
  const batch = request !== null && /batch\/?$/i.test(pathOf(request));
  if (request && !POSTS.test(pathOf(request))) return [];
  const told = JSON.parse(body.toString() || 'null') as { jobs?: { id: string }[]; id?: string } | null;
  const ids = told?.jobs?.map(({ id }) => id) ?? (told?.id === undefined ? [] : [told.id]);
  if (!request) {
    for (const id of ids) account.took(id, run, 'unknown');
    return [];
  }
  const wanted = request.body ? wantedBy(request.body.octets, batch ? 'batch' : 'job') : "it can't be understood";
  const sure = request.body?.sure !== false;
  let fault: string | null = null;
  if (sure && typeof wanted === 'string') fault = `${status}, though the contract refuses the body: ${wanted}`;
  else if (sure && wanted.length !== ids.length) fault = `${ids.length} jobs for ${wanted.length} submissions`;
  const found = headers['deduplicated'] === 'true';
  ids.forEach((id, place) => {
    const one = typeof wanted === 'string' || !sure ? 'unknown' : wanted[place];
    account.took(id, run, found ? 'found' : (one ?? 'unknown'));
  });
  const twice = request.idempotencyKey === null ? null : account.keyed(request.idempotencyKey, ids);
  return [fault, twice].filter((each) => each !== null);
}

/** Records a request without an answer, which the api may have executed. */
function leaveOpen(request: Asked, run: number, { account }: Ground): void {
  const { method, body } = request;
  const path = pathOf(request);
  const [, id] = /\/v1\/jobs\/([0-9a-f-]{36})\/?$/i.exec(path) ?? [];
  if (method === 'DELETE' && id !== undefined) account.perhapsDeleted(id.toLowerCase());
  if (method !== 'POST' || !POSTS.test(path) || !body) return;
  const wanted = wantedBy(body.octets, /batch\/?$/i.test(path) ? 'batch' : 'job');
  if (typeof wanted !== 'string') account.unanswered(run, wanted);
}
