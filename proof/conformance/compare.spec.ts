import { expect, it } from '@jest/globals';
import { differences } from './compare.ts';

const answer = {
  status: 400,
  headers: { 'content-type': 'application/problem+json; charset=utf-8', 'retry-after': '5' },
  body: JSON.stringify({ type: '/problems/wrong', status: 400, errors: [{ pointer: '/a', detail: 'is wrong' }] }),
};

it('finds no difference in an answer that is as expected, and ignores its other members', () => {
  expect(differences(answer, { status: 400 })).toEqual([]);
  const headers = { 'Retry-After': /^\d$/, 'Content-Type': /problem/, Allow: null };
  expect(
    differences(answer, { status: 400, problem: 'wrong', headers, body: { errors: [{ pointer: '/a' }] } }),
  ).toEqual([]);
});

it.each([
  ['another status', { status: 404 }],
  ['another problem', { status: 400, problem: 'bad' }],
  ['a header with another value', { status: 400, headers: { 'Retry-After': '6' } }],
  ['a header that does not fit the pattern', { status: 400, headers: { 'Retry-After': /^\d\d$/ } }],
  ['no such header', { status: 400, headers: { Allow: 'GET' } }],
  ['a header that must not be there', { status: 400, headers: { 'Retry-After': null } }],
  ['a member with another value', { status: 400, body: { errors: [{ pointer: '/b' }] } }],
  ['a member that is not there', { status: 400, body: { colour: 'red' } }],
  ['fewer items', { status: 400, body: { errors: [{ pointer: '/a' }, { pointer: '/b' }] } }],
  ['more items', { status: 400, body: { errors: [] } }],
])('finds %s', (_what, expected) => {
  expect(differences(answer, expected)).toHaveLength(1);
});

it('finds that an expected problem is missing', () => {
  const plain = { ...answer, headers: { 'content-type': 'application/json' } };
  expect(differences(plain, { status: 400, problem: 'wrong' })).toEqual([expect.stringContaining('Content-Type')]);
});
