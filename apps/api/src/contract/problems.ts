import { z } from 'zod';

/** One kind of problem: its `type` is `/problems/<slug>`. */
interface ProblemKind {
  status: number;
  /** When the api answers this problem, and what a client can do. */
  meaning: string;
}

/** Every problem that the api answers. Slugs are stable. */
export const problems = {
  'invalid-request': { status: 400, meaning: 'A member, parameter or header is wrong; `errors` names each.' },
  'malformed-json': { status: 400, meaning: 'The body is not JSON, or not UTF-8.' },
  'bad-request': { status: 400, meaning: 'The api cannot read the request.' },
  unauthorized: {
    status: 401,
    meaning: '`Authorization` has no API key, or an unknown key; or the event token is invalid or has expired.',
  },
  'insufficient-scope': {
    status: 403,
    meaning: 'The API key does not have the scope of this call, or the event token is for another job.',
  },
  'foreign-page': {
    status: 403,
    meaning: 'A browser sent this request for a page of an origin that CORS_ORIGINS does not have.',
  },
  'not-found': { status: 404, meaning: 'There is nothing at this path.' },
  'job-not-found': {
    status: 404,
    meaning: 'There is no job with this id; the api deletes finished jobs after RETENTION_DAYS.',
  },
  'job-type-not-found': { status: 404, meaning: 'No worker has registered a job type of this name.' },
  'worker-not-found': { status: 404, meaning: 'No worker of this name was heard in the last hour.' },
  'delivery-not-found': {
    status: 404,
    meaning: 'There is no webhook delivery with this id; webhook deliveries are deleted with their job.',
  },
  'no-event-tokens': { status: 404, meaning: 'This api issues no event tokens: EVENT_TOKEN_SECRET is not set.' },
  'method-not-allowed': { status: 405, meaning: 'The path does not have this method; `Allow` lists its methods.' },
  'request-timeout': { status: 408, meaning: 'The request did not arrive in time.' },
  'job-finished': { status: 409, meaning: 'The job is finished, so a client cannot cancel it.' },
  'job-not-finished': {
    status: 409,
    meaning: 'Only a finished job can be deleted, and only a failed or cancelled job can be retried.',
  },
  'job-failed': { status: 409, meaning: 'The job has failed: there is no result.' },
  'job-cancelled': { status: 409, meaning: 'The job was cancelled: there is no result.' },
  'job-duplicated': { status: 409, meaning: 'Another unfinished job of this type has the same `dedupeKey`.' },
  'schema-conflict': {
    status: 409,
    meaning: 'This version of the job type is registered with other schemas; `errors` names the differences.',
  },
  'job-type-in-use': { status: 409, meaning: 'Workers run the job type, or unfinished jobs have it.' },
  held: {
    status: 409,
    meaning:
      'The job runs by this very dispatch message, and its holder is not known to be gone: give the dispatch message back after a second.',
  },
  fenced: {
    status: 409,
    meaning:
      'The attempt does not hold the job any more: stop it, and give the dispatch message back (`basic.nack`, requeue).',
  },
  'endpoint-removed': { status: 409, meaning: 'No notifier has the endpoint of this webhook any more.' },
  'idempotency-key-in-flight': {
    status: 409,
    meaning:
      'The api is storing the first request with this Idempotency-Key; send this request again after `Retry-After`.',
  },
  refused: { status: 410, meaning: 'There is nothing to run by this dispatch message: acknowledge it.' },
  'precondition-failed': { status: 412, meaning: '`If-Match` or `If-None-Match` keeps this from being done.' },
  'body-too-large': { status: 413, meaning: 'The body is larger than 1 MiB.' },
  'uri-too-long': { status: 414, meaning: 'The target of the request is too long.' },
  'unsupported-media-type': {
    status: 415,
    meaning:
      'The body is not `application/json` in UTF-8, or has an unknown content coding; see `Accept`, `Accept-Encoding`.',
  },
  'range-not-satisfiable': { status: 416, meaning: '`Range` begins after the end of the file; see `Content-Range`.' },
  'expectation-failed': { status: 417, meaning: '`Expect` has another value than `100-continue`.' },
  'misdirected-request': {
    status: 421,
    meaning: '`Host` names a host that this process does not answer for: see ALLOWED_HOSTS.',
  },
  'idempotency-key-reused': {
    status: 422,
    meaning: 'Another request had this Idempotency-Key: use a new key.',
  },
  'rate-limited': { status: 429, meaning: 'Too many requests of this client in a minute; see `Retry-After`.' },
  'too-many-waiters': { status: 429, meaning: 'Too many requests of this client wait with `Prefer: wait`.' },
  'too-many-streams': { status: 429, meaning: 'This client has as many event streams open at a notifier as it may.' },
  'headers-too-large': { status: 431, meaning: 'Target and headers are larger than 16 KiB together.' },
  'internal-error': { status: 500, meaning: 'A fault of the server; it is logged with the `X-Request-Id`.' },
  overloaded: { status: 503, meaning: 'Too many bytes are on their way to or from the process; see `Retry-After`.' },
  'queue-full': { status: 503, meaning: 'As many jobs wait in the queue as may; see `Retry-After`.' },
  'broker-unavailable': {
    status: 503,
    meaning: 'RabbitMQ has not confirmed the event of what was stored: send the request again; see `Retry-After`.',
  },
  'database-unavailable': {
    status: 503,
    meaning: 'The api cannot reach PostgreSQL, or PostgreSQL cannot do this now; see `Retry-After`.',
  },
} as const satisfies Record<string, ProblemKind>;

export type Slug = keyof typeof problems;

export const problemKind = z.object({ type: z.string(), status: z.int(), meaning: z.string() });
