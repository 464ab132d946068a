import { describe, expect, it } from '@jest/globals';
import { readAnswers } from './answers.ts';

const read = (text: string, methods: string[] = []) => {
  const { answers, fault } = readAnswers(Buffer.from(text, 'latin1'), methods);
  return {
    answers: answers.map(({ status, body }) => [status, body.toString()]),
    fault: fault?.message,
    cut: fault?.cut,
  };
};
const none = { fault: undefined, cut: undefined };
const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

it('reads several answers on one connection, interim ones and chunked ones too', () => {
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n';
  const text = `HTTP/1.1 100 Continue\r\n\r\n${ok}${chunked}HTTP/1.1 204 No Content\r\n\r\n${ok}`;
  expect(read(text)).toEqual({
    answers: [
      [100, ''],
      [200, 'hi'],
      [200, 'abc'],
      [204, ''],
      [200, 'hi'],
    ],
    ...none,
  });
});

it('knows that an answer to HEAD has no body, unless it was not read as one', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
  expect(read(head + ok, ['HEAD', 'GET'])).toEqual({
    answers: [
      [200, ''],
      [200, 'hi'],
    ],
    ...none,
  });
  const refused = 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno';
  expect(read(refused, ['HEAD'])).toEqual({ answers: [[400, 'no']], ...none });
});

describe('finds fault with', () => {
  it.each([
    ['another protocol', 'HTTP/1.0 200 OK\r\n\r\n'],
    ['a status that is none', 'HTTP/1.1 999 x\r\n\r\n'],
    ['bare line feeds', 'HTTP/1.1 200 OK\nContent-Length: 0\n\r\n\r\n'],
    ['a name that is no token', 'HTTP/1.1 200 OK\r\nA B: c\r\nContent-Length: 0\r\n\r\n'],
    ['a control character', 'HTTP/1.1 200 OK\r\nA: b\x01\r\nContent-Length: 0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n'],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['no length', 'HTTP/1.1 200 OK\r\n\r\nabc'],
    ['a chunk longer than it says', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n'],
    ['what follows the last answer', `${ok}x\r\n\r\n`],
  ])('%s', (_what, text) => {
    expect(read(text)).toMatchObject({ fault: expect.stringMatching(/\w/), cut: false });
  });
});

it.each([1, 20, ok.length - 1])('tells an answer that is cut off after %i octets', (length) => {
  expect(read(ok + ok.slice(0, length))).toMatchObject({ answers: [[200, 'hi']], cut: true });
});
