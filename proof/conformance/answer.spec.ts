import { expect, it } from '@jest/globals';
import { takeAnswer } from './answer.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVary: A\r\nVary: B\r\n\r\n{}';

it('takes one answer after the other from the received text', () => {
  const first = takeAnswer(`HTTP/1.1 100 Continue\r\n\r\n${ok}HTTP/1.1 2`);
  expect(first?.answer.status).toBe(100);
  const second = takeAnswer(first?.rest ?? '');
  expect(second).toEqual({
    answer: { status: 200, headers: { 'content-length': '2', vary: 'A, B' }, body: '{}' },
    rest: 'HTTP/1.1 2',
  });
  expect(takeAnswer(second?.rest ?? '')).toBeNull();
});

it('waits for the whole body, and counts octets', () => {
  const utf8 = Buffer.from('ä').toString('latin1');
  expect(takeAnswer(ok.slice(0, -1))).toBeNull();
  expect(takeAnswer(ok.replace('{}', utf8))).toMatchObject({ answer: { body: 'ä' }, rest: '' });
});

it('knows which answers end with their head', () => {
  const head = 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n';
  expect(takeAnswer(head)?.rest).toBe('');
  expect(takeAnswer(head.replace('304', '200'))).toBeNull();
  expect(takeAnswer(head.replace('304', '200'), true)?.rest).toBe('');
});

it('refuses other text', () => {
  expect(() => takeAnswer('nonsense\r\n\r\n')).toThrow('nonsense');
  expect(() => takeAnswer('HTTP/1.1 200 OK\r\n\r\n{}')).toThrow('Content-Length');
});
