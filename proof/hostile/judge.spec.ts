import { describe, expect, it } from '@jest/globals';
import type { Answer } from './answers.ts';
import { judge } from './judge.ts';
import type { Asked } from './script.ts';

const asked: Asked = {
  method: 'GET',
  target: '/v1/jobs',
  requestId: 'a',
  body: null,
  rights: 'all',
  idempotencyKey: null,
};
const problem = { type: '/problems/not-found', title: 't', status: 404, detail: 'd', instance: '/x' };

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  const all = { 'x-request-id': 'a', 'content-type': 'application/problem+json; charset=utf-8', ...headers };
  return { status, headers: all, fields: [], body: Buffer.from(JSON.stringify(body)) };
}

it('holds what the document describes against it, and nothing else', () => {
  const told: string[] = [];
  const note = ({ path }: { path: string }) => (told.push(path), ['told']);
  expect(judge(answer(404, problem), asked, note)).toEqual(['told']);
  expect(judge(answer(404, problem), { ...asked, target: '/v1/jobs/%00' }, note)).toEqual([]);
  expect(judge(answer(404, problem), null, note)).toEqual([]);
  expect(told).toEqual(['/v1/jobs']);
});

describe('finds fault with', () => {
  it.each<[string, Answer, Asked]>([
    ['a fault of the server', answer(500, { ...problem, status: 500 }), asked],
    ['no request id', answer(404, problem, { 'x-request-id': '' }), asked],
    ['another media type', answer(404, problem, { 'content-type': 'text/html' }), asked],
    ['a member missing', answer(404, { ...problem, detail: undefined }), asked],
    ['another status in the body', answer(404, { ...problem, status: 400 }), asked],
    ['a type that is no path', answer(404, { ...problem, type: 'about:blank' }), asked],
    ['a very long problem', answer(404, { ...problem, detail: 'x'.repeat(70_000) }), asked],
    ['success without a key', answer(200, {}), { ...asked, rights: 'none' }],
    ['a job made with a key that may read', answer(202, {}), { ...asked, method: 'POST', rights: 'read' }],
    ['an interim answer of another kind', answer(103, {}), asked],
  ])('%s', (_what, given, request) => {
    expect(judge(given, request, () => [])).toHaveLength(1);
  });
});
