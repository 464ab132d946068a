import { pause } from './abort.ts';
import { jsonOf, refusalOf, unexpected } from './answer.ts';
import { UnreachableError } from './errors.ts';
import { openExchange, type Exchange } from './exchange.ts';
import type { Settings } from './options.ts';
import { backoffMs, mayRepeat, pauseAfter } from './repeat.ts';
import { readServerEvents } from './server-events.ts';
import { isFinished, isSnapshot, type JobEvent, type Snapshot } from './snapshot.ts';

/** Pause before a new connection until the server sends `retry`, in milliseconds. */
const RETRY_MS = 1_000;

interface Attempt {
  url: URL;
  lastEventId: string | undefined;
  signal: AbortSignal | undefined;
  /** The number of the attempt in a row, from 1. */
  attempt: number;
}

/**
 * Yields the job as it is, then each event until the final one, by server-sent events over fetch. A stream that ends
 * early, breaks or falls silent is opened again after the server's `retry`, with Last-Event-ID. An event that arrives
 * twice is dropped by its version. An event of progress has no payload, result and errors; they are copied from the
 * event before.
 *
 * Throws the last error after `maxAttempts` failed attempts in a row to connect, a refusal at once, and the signal's
 * reason.
 */
export async function* watchJob(
  settings: Settings,
  { url, signal }: { url: URL; signal: AbortSignal | undefined },
): AsyncGenerator<JobEvent, void, undefined> {
  let retryMs = RETRY_MS;
  let lastEventId: string | undefined;
  let last: Snapshot | undefined;
  let failures = 0;
  const onRetry = (ms: number) => (retryMs = Math.min(ms, settings.maxRetryAfterMs));

  for (;;) {
    const opened = await open(settings, { url, lastEventId, signal, attempt: failures + 1 });
    if (opened === 'nothing more') return;
    if ('error' in opened) {
      failures += 1;
      if (failures === settings.maxAttempts) throw opened.error;
      await pause(Math.max(retryMs, opened.pauseMs), signal);
      continue;
    }
    failures = 0;
    try {
      for await (const message of readServerEvents(opened, { idleTimeoutMs: settings.idleTimeoutMs, onRetry })) {
        const event = eventOf(message, url, last);
        if (!event || event.job.version <= (last?.version ?? 0)) continue;
        last = event.job;
        // A header cannot carry any other id.
        if (message.id !== undefined && /^[\x20-\x7e]+$/.test(message.id)) lastEventId = message.id;
        yield event;
        if (isFinished(event.job)) return;
      }
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
    } finally {
      await opened.close();
    }
    await pause(retryMs + backoffMs(settings, 1), signal); // the random part spreads the clients of a lost notifier
  }
}

/** Why the stream did not open, and the pause before the next attempt. */
interface Failure {
  error: Error;
  pauseMs: number;
}

/** @throws an error that no further attempt would avoid */
async function open(
  settings: Settings,
  { url, lastEventId, signal, attempt }: Attempt,
): Promise<Exchange | 'nothing more' | Failure> {
  const headers: Record<string, string> = { accept: 'text/event-stream, application/problem+json' };
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
  try {
    const exchange = await openExchange(settings, { method: 'GET', url, headers, signal });
    return isEventStream(exchange.response) ? exchange : await refused(settings, exchange, { url, attempt });
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error;
    return { error, pauseMs: backoffMs(settings, attempt) };
  }
}

async function refused(
  settings: Settings,
  exchange: Exchange,
  { url, attempt }: Pick<Attempt, 'url' | 'attempt'>,
): Promise<'nothing more' | Failure> {
  const { status, headers } = exchange.response;
  try {
    if (status === 204) return 'nothing more';
    const error = refusalOf({ request: `GET ${url.href}`, status, headers, text: await exchange.text() });
    const pauseMs = mayRepeat('freely', status) ? pauseAfter(settings, attempt, headers) : undefined;
    if (pauseMs === undefined) throw error;
    return { error, pauseMs };
  } finally {
    await exchange.close();
  }
}

function isEventStream({ status, headers }: Response): boolean {
  return status === 200 && /^text\/event-stream\s*(;|$)/i.test(headers.get('content-type') ?? '');
}

/** @returns undefined for an event that is not about a job */
function eventOf(
  { event, data }: { event?: string | undefined; data: string },
  url: URL,
  last: Snapshot | undefined,
): JobEvent | undefined {
  if (!event?.startsWith('job.')) return undefined;
  const answer = { request: `GET ${url.href}`, status: 200, headers: new Headers(), text: data };
  const job = jsonOf(answer);
  if (!isSnapshot(job)) throw unexpected(answer, 'an event that carries no job');
  return { event: event as JobEvent['event'], job: event === 'job.progress' ? { ...last, ...job } : job };
}
