/** Header fields of answers, as OpenAPI describes them. */
export const headers = {
  'X-Request-Id': ['Names the request in logs: its own where it sent one.', { type: 'string', minLength: 1 }],
  Location: [
    'Path of the job, or of its deliveries.',
    { type: 'string', pattern: '^/v1/jobs/[0-9a-f-]{36}(/deliveries)?$' },
  ],
  'Content-Location': ['Path of the job in the body.', { type: 'string', pattern: '^/v1/jobs/[0-9a-f-]{36}$' }],
  'Retry-After': [
    'When to ask again, in seconds: when it is due, or likely to start; when there is room again.',
    { type: 'integer', minimum: 1 },
  ],
  ETag: [
    "Weak; from the job's version. `position` and `etaMs` do not count.",
    { type: 'string', pattern: '^W/"\\d+"$' },
  ],
  'Preference-Applied': ['For how long the request might be held.', { type: 'string', pattern: '^wait=\\d+$' }],
  'Idempotency-Replayed': ['The answer to an earlier request with this key.', { const: 'true' }],
  Deduplicated: ['The job was there already, by its `dedupeKey`.', { const: 'true' }],
  'WWW-Authenticate': ['How to authenticate.', { type: 'string', pattern: '^Bearer ' }],
  Accept: ['Media types that are understood.', { type: 'string' }],
  'Accept-Encoding': ['Content codings that are understood.', { type: 'string' }],
  RateLimit: [
    'What is left of the limit, where there is one (draft-ietf-httpapi-ratelimit-headers).',
    { type: 'string' },
  ],
  'RateLimit-Policy': ['The limit.', { type: 'string' }],
  'Content-Range': ['How long it is.', { type: 'string' }],
  Allow: ['Methods that the path has.', { type: 'string' }],
} as const;

export type HeaderName = keyof typeof headers;
