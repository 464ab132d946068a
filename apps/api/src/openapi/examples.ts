// /docs shows these examples. Tests submit them to a real api, and check the answers by the schemas.

export const submissionExamples = {
  short: { type: 'demo.sleep', payload: { seconds: 10 } },
  everything: {
    ...{ type: 'http.request', payload: { url: 'https://example.com/report', method: 'POST', body: '{}' } },
    ...{ delayMs: 60_000, queue: 'default', priority: 7, maxAttempts: 3, timeoutMs: 30_000 },
    ...{ backoff: { baseMs: 500, factor: 3, maxMs: 60_000 }, dedupeKey: 'report-42', tags: ['nightly'] },
    webhook: { url: 'https://example.com/hooks/offload', events: ['succeeded', 'failed'] },
  },
  later: { type: 'csv.profile', payload: { csv: 'name,size\na,1\n' }, delayMs: 3_600_000, tags: ['sizes'] },
};

export const batchExamples = {
  two: { jobs: [submissionExamples.short, { type: 'demo.sleep', payload: { seconds: 1 }, priority: 9 }] },
};

export const eventTokenExamples = {
  all: {},
  one: { jobId: '019ac5f8-9f4c-7a3e-8d27-3f1f6f0f7c55', seconds: 60 },
};

const id = '019ac5f8-9f4c-7a3e-8d27-3f1f6f0f7c55';
export const jobExample = {
  ...{ id, type: 'demo.sleep', queue: 'default', status: 'running', priority: 0, tags: [], payload: { seconds: 10 } },
  ...{ result: null, error: null, errors: [], progress: { percent: 40, message: '4 of 10 s' } },
  ...{ attempt: 1, maxAttempts: 5, version: 6, createdAt: '2026-11-21T08:00:00.000Z' },
  ...{ dueAt: '2026-11-21T08:00:00.000Z', startedAt: '2026-11-21T08:00:00.012Z', finishedAt: null, durationMs: null },
  links: { self: `/v1/jobs/${id}`, events: `http://127.0.0.1:3100/v1/jobs/${id}/events` },
};

const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ3ZWIifQ.c2lnbmF0dXJl';
export const eventTokenExample = {
  ...{ token, expiresAt: '2026-11-21T08:10:00.000Z', events: `${jobExample.links.events}?token=${token}` },
};

export const deliveryExample = {
  ...{
    id: '019ac5f8-c65d-7f1b-9a3f-52cf8d7a1e60',
    jobId: id,
    endpoint: null,
    url: 'https://example.com/hooks/offload',
  },
  ...{ event: 'succeeded', status: 'pending' },
  attempts: [
    {
      ...{ number: 1, at: '2026-11-21T08:00:10.031Z', durationMs: 84, status: 503 },
      error: 'it answered 503',
    },
  ],
  ...{ createdAt: '2026-11-21T08:00:10.015Z', nextAttemptAt: '2026-11-21T08:00:14.870Z', endedAt: null, error: null },
};

const finishedExample = {
  ...{ ...jobExample, status: 'succeeded', result: { sleptMs: 10_003 }, progress: null, attempt: 1, version: 12 },
  ...{ finishedAt: '2026-11-21T08:00:10.015Z', durationMs: 10_003 },
};
export const webhookExample = {
  ...{ specversion: '1.0', id: `${id}/12`, source: '/v1/jobs', type: 'offload.job.succeeded', subject: id },
  ...{ time: '2026-11-21T08:00:10.015Z', datacontenttype: 'application/json', data: finishedExample },
};

export const listExample = { jobs: [jobExample], nextCursor: 'AZrF-J9Mej6NJz8fbw98VQ' };

export const queuesExample = {
  queues: [
    {
      ...{ queue: 'default', types: ['image.resize'], ready: 120, running: 20, scheduled: 3, consumers: 2 },
      ...{ oldestWaitingMs: 5_800, drainPerSecond: 20.1 },
    },
  ],
  priorities: true,
};

const resizePayload = {
  type: 'object',
  properties: { url: { type: 'string', format: 'uri' }, width: { type: 'integer', minimum: 1, default: 640 } },
  required: ['url'],
  additionalProperties: false,
};
const resizeResult = { type: 'object', properties: { bytes: { type: 'integer' } }, required: ['bytes'] };
export const typeRegistrationExamples = {
  short: { payloadSchema: resizePayload },
  everything: {
    ...{ version: 2, description: 'Scales an image down to a width.', queue: 'default', upgrades: true },
    ...{ timeoutMs: 30_000, maxAttempts: 3, backoff: { baseMs: 500, factor: 3, maxMs: 60_000 } },
    ...{ payloadSchema: resizePayload, resultSchema: resizeResult },
  },
};

const resizeVersion = {
  ...{ version: 1, payloadSchema: resizePayload, resultSchema: resizeResult },
  ...{ workers: ['worker-1'], lastSeenAt: '2026-11-21T08:00:00.000Z' },
};
export const jobTypeExample = {
  ...{ type: 'image.resize', description: 'Scales an image down to a width.', queue: 'default' },
  ...{ timeoutMs: 30_000, maxAttempts: 3, backoff: { baseMs: 1_000, factor: 2, maxMs: 300_000 } },
  ...{ ...resizeVersion, versions: [{ ...resizeVersion, upgrades: false }] },
};

export const workersExample = {
  workers: [
    {
      ...{ instance: 'worker-1', version: '0.1.0', queues: ['default'], slots: 10, running: 2, draining: false },
      ...{ types: { 'image.resize': 1 }, startedAt: '2026-11-21T07:59:00.000Z' },
      lastHeardAt: '2026-11-21T08:00:00.000Z',
    },
  ],
};
