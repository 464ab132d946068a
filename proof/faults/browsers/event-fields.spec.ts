import { expect, it } from '@jest/globals';
import { parseEvents, type StreamEvent } from './event-fields.ts';

function read(pieces: readonly string[], lastEventId = '') {
  const events: StreamEvent[] = [];
  const retries: number[] = [];
  const parser = parseEvents(
    lastEventId,
    (event) => events.push(event),
    (ms) => retries.push(ms),
  );
  pieces.forEach(parser.feed);
  return { events, retries, lastEventId: parser.lastEventId };
}

// The examples of https://html.spec.whatwg.org/#event-stream-interpretation.
it('reads the examples of the standard', () => {
  expect(read(['data: YHOO\ndata: +2\ndata: 10\n\n']).events).toEqual([
    { type: 'message', data: 'YHOO\n+2\n10', lastEventId: '' },
  ]);
  const stream = ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n';
  expect(read([stream])).toMatchObject({
    events: [
      { data: 'first event', lastEventId: '1' },
      { data: 'second event', lastEventId: '' },
    ],
  });
  expect(read(['data\n\ndata\ndata\n\ndata:']).events.map(({ data }) => data)).toEqual(['', '\n']);
});

it.each(['\n', '\r', '\r\n'])('reads lines that end with %j, wherever the stream is cut', (end) => {
  const stream = `\uFEFFretry: 1000${end}${end}event: job.running${end}id: 2${end}data: {}${end}${end}:${end}${end}`;
  const whole = { events: [{ type: 'job.running', data: '{}', lastEventId: '2' }], retries: [1000], lastEventId: '2' };
  expect(read([stream])).toEqual(whole);
  expect(read([...stream])).toEqual(whole);
});

it('drops an event that is cut off, with its id', () => {
  expect(read(['id: 8\nevent: job.succeeded\ndata: {}\n'], '7')).toEqual({ events: [], retries: [], lastEventId: '7' });
});
