import { OffloadProblem, UnexpectedAnswerError, type ProblemFault } from './errors.ts';
import { retryAfterMs } from './retry-after.ts';
import { isSnapshot, type Snapshot } from './snapshot.ts';

/** A response with its whole body. */
export interface Answer {
  /** The request's method and URL, for messages. */
  readonly request: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Makes the error for an unexpected answer: OffloadProblem for a problem document, otherwise UnexpectedAnswerError. */
export function refusalOf(answer: Answer): OffloadProblem | UnexpectedAnswerError {
  const { status, headers } = answer;
  const document = isProblem(headers) ? (jsonOf(answer) as Record<string, unknown> | null | undefined) : undefined;
  if (typeof document !== 'object' || document === null) return unexpected(answer, `${status}`);
  // RFC 9457 section 3.1: ignore a member of another type than specified.
  const text = (name: string) => (typeof document[name] === 'string' ? document[name] : undefined);
  return new OffloadProblem({
    type: text('type') ?? 'about:blank',
    status,
    title: text('title') ?? `Status ${status}`,
    detail: text('detail'),
    instance: text('instance'),
    errors: Array.isArray(document.errors) ? document.errors.filter(isFault) : [],
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfterMs: retryAfterMs(headers),
  });
}

/** The job in the body. @throws UnexpectedAnswerError when the body is not a job */
export function jobOf(answer: Answer): Snapshot {
  return checkedJob(answer, jsonOf(answer));
}

/** The jobs in the body. @throws UnexpectedAnswerError when the body has no jobs */
export function jobsOf(answer: Answer): Snapshot[] {
  return listOf<unknown>(answer, 'jobs').map((each) => checkedJob(answer, each));
}

/** The list that is a member of the body. @throws UnexpectedAnswerError when there is none */
export function listOf<Item>(answer: Answer, member: string): Item[] {
  const list = (jsonOf(answer) as Record<string, unknown> | null | undefined)?.[member];
  if (!Array.isArray(list)) throw unexpected(answer, `no list of ${member}`);
  return list as Item[];
}

/** The body as JSON; undefined when it is not JSON. */
export function jsonOf({ text }: Answer): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Makes the error for an answer that is not what Offload would send. */
export function unexpected(answer: Answer, what: string): UnexpectedAnswerError {
  const { request, status, headers, text } = answer;
  const requestId = headers.get('x-request-id') ?? undefined;
  const details = { status, body: text, requestId, retryAfterMs: retryAfterMs(headers) };
  return new UnexpectedAnswerError(`${request} was answered with ${what}`, details);
}

function checkedJob(answer: Answer, value: unknown): Snapshot {
  if (!isSnapshot(value)) throw unexpected(answer, 'something that is not a job');
  return value;
}

function isProblem(headers: Headers): boolean {
  return /^application\/problem\+json\s*(;|$)/i.test(headers.get('content-type') ?? '');
}

function isFault(value: unknown): value is ProblemFault {
  return typeof value === 'object' && value !== null && typeof (value as ProblemFault).detail === 'string';
}
