import { expect, it } from '@jest/globals';
import { OffloadProblem, UnexpectedAnswerError } from './errors.ts';
import { answer, clientOf, job, JOB_ID, problem, serve, type Step } from './spec-server.ts';

async function thrownAfter(step: Step): Promise<unknown> {
  const client = clientOf(await serve(step), { maxAttempts: 1 });
  return client.get(JOB_ID).then(() => undefined, (error: unknown) => error); // prettier-ignore
}

it('throws a problem document with all its members', async () => {
  const errors = [
    { pointer: '/payload/seconds', detail: 'must be positive' },
    { parameter: 'limit', detail: 'too many' },
  ];
  const headers = { 'x-request-id': 'r-1', 'retry-after': '3' };
  const error = await thrownAfter(problem(429, 'rate-limited', headers, { errors }));
  expect(error).toBeInstanceOf(OffloadProblem);
  expect(error).toMatchObject({
    name: 'OffloadProblem',
    code: 'problem',
    message: '429 rate-limited: A detail',
    type: '/problems/rate-limited',
    slug: 'rate-limited',
    status: 429,
    title: 'A title',
    detail: 'A detail',
    instance: '/v1',
    errors,
    requestId: 'r-1',
    retryAfterMs: 3_000,
  });
});

it('reads an answer behind a byte order mark', async () => {
  const marked = (status: number, body: object, type: string) =>
    answer(status, `\ufeff${JSON.stringify(body)}`, { 'content-type': type });
  const server = await serve(marked(200, job(), 'application/json'));
  expect((await clientOf(server).get(JOB_ID)).snapshot).toEqual(job());
  expect(await thrownAfter(marked(409, { title: 'A title' }, 'application/problem+json'))).toMatchObject({
    title: 'A title',
  });
});

it('ignores members of a problem document that have a wrong type', async () => {
  const document = { type: 7, title: null, detail: ['no'], errors: [null, { pointer: '/a' }, { detail: 'kept' }] };
  expect(await thrownAfter(answer(400, document, { 'content-type': 'Application/Problem+JSON; charset=utf-8' }))).toMatchObject({
    name: 'OffloadProblem',
    type: 'about:blank',
    title: 'Status 400',
    detail: undefined,
    errors: [{ detail: 'kept' }],
    requestId: undefined,
    retryAfterMs: undefined,
  }); // prettier-ignore
});

it.each([
  ['a page', answer(404, '<h1>Not Found</h1>', { 'content-type': 'text/html', 'x-request-id': 'r-2' })],
  ['JSON of another server', answer(404, { message: 'Not Found' }, { 'x-request-id': 'r-2' })],
  ['a malformed problem document', answer(404, '{', { 'content-type': 'application/problem+json', 'x-request-id': 'r-2' })],
])('throws UnexpectedAnswerError for %s', async (_what, step) => {
  const error = await thrownAfter(step);
  expect(error).toBeInstanceOf(UnexpectedAnswerError);
  expect(error).toMatchObject({ code: 'unexpected-answer', status: 404, requestId: 'r-2', body: expect.any(String) });
  expect((error as Error).message).toMatch(/^GET http.* was answered with 404$/);
}); // prettier-ignore

it.each([
  ['a page', answer(200, '<h1>Log in</h1>', { 'content-type': 'text/html' })],
  ['nothing', answer(200)],
  ['other JSON', answer(200, { id: 7 })],
  ['null', answer(200, 'null')],
])('rejects %s in place of a job', async (_what, step) => {
  expect(await thrownAfter(step)).toMatchObject({
    name: 'UnexpectedAnswerError',
    status: 200,
    message: expect.stringMatching(/was answered with something that is not a job$/),
  });
});

it('rejects other JSON in place of a list', async () => {
  const client = clientOf(await serve(answer(200, { jobTypes: {} })));
  await expect(client.jobTypes()).rejects.toThrow(/was answered with no list of jobTypes$/);
});
