import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readMessage, text, writeMessage, type BodyFor, type BodyOf } from './message.ts';

const note = { type: 'note', version: 2, schema: z.object({ n: z.int(), at: z.coerce.date().optional() }) };

const arrived = (content: string | Buffer, properties: { type?: string; headers?: Record<string, unknown> } = {}) => ({
  content: Buffer.from(content),
  properties: { type: undefined, headers: undefined, ...properties },
});

describe('a JSON message', () => {
  it('is written with its content type, its type and the version of its schema', () => {
    const { content, ...rest } = writeMessage(note, { n: 1 });
    expect(content.toString()).toBe('{"n":1}');
    expect(rest).toEqual({ contentType: 'application/json', type: 'note', headers: { 'x-schema-version': 2 } });
  });

  it('is read as it was written', () => {
    const { content, type, headers } = writeMessage(note, { n: 1, at: '2026-01-02' });
    const read = readMessage(note, { content, properties: { type, headers } });
    expect(read).toEqual({ body: { n: 1, at: new Date('2026-01-02') } });
  });

  it('of an older version, or without one, or without a type, is read with the schema', () => {
    for (const properties of [version(1), version(2n), { headers: {} }, {}, { type: 'note' }]) {
      expect(readMessage(note, arrived('{"n":3}', properties))).toEqual({ body: { n: 3 } });
    }
  });

  it.each([
    ['another type', '{"n":1}', { type: 'memo' }, 'its type is "memo", not "note"'],
    ['a newer version', '{"n":1}', version(3), 'its schema version 3 is unknown: 1 to 2 are known'],
    ['version 0', '{"n":1}', version(0), 'its schema version 0 is unknown: 1 to 2 are known'],
    ['half a version', '{"n":1}', version(1.5), 'its schema version 1.5 is unknown: 1 to 2 are known'],
    ['a version in words', '{"n":1}', version('2'), 'its schema version "2" is unknown: 1 to 2 are known'],
    ['a version that is a table', '{"n":1}', version({}), expect.stringMatching(/is unknown/)],
    ['no JSON', '{"n":', {}, expect.stringMatching(/^not JSON: /)],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), {}, 'not UTF-8'],
    ['nothing', '', {}, expect.stringMatching(/^not JSON: /)],
    ['a body that does not fit', '{"n":"one"}', {}, expect.stringMatching(/^\/n: .*expected (number|int)/)],
    ['another kind of body', '7', {}, expect.stringMatching(/^\/: /)],
  ])('is not read when it has %s, and the reason is told', (_what, content, properties, reason) => {
    expect(readMessage(note, arrived(content, properties))).toEqual({ reason });
  });

  it('can be any JSON value, and nothing else', () => {
    const anything = { type: 'any', version: 1, schema: z.unknown() };
    for (const body of [null, 0, '', false, [], {}, 'ö\u0000']) {
      const { content } = writeMessage(anything, body);
      expect(readMessage(anything, arrived(content))).toEqual({ body });
    }
    const circle: { self?: unknown } = {};
    circle.self = circle;
    for (const body of [undefined, () => 1, 1n, circle]) expect(() => writeMessage(anything, body)).toThrow(TypeError);
  });
});

describe('text', () => {
  it('is written as it is, with its content type', () => {
    const { content, ...rest } = writeMessage(text, 'grüß dich');
    expect(content.toString()).toBe('grüß dich');
    expect(rest).toEqual({ contentType: 'text/plain' });
  });

  it('is read from any client, in UTF-8', () => {
    for (const properties of [{}, { type: 'anything' }, version(9)]) {
      expect(readMessage(text, arrived('grüß dich', properties))).toEqual({ body: 'grüß dich' });
    }
    expect(readMessage(text, arrived(Buffer.from([0xff])))).toEqual({ reason: 'not UTF-8' });
  });
});

it('tells the compiler what a body is', () => {
  const sent: BodyFor<typeof note> = { n: 1, at: '2026-01-02' };
  const received: BodyOf<typeof note> = { n: 1, at: new Date() };
  const words: BodyOf<typeof text> = 'words';
  // @ts-expect-error a received body has been parsed
  const unparsed: BodyOf<typeof note> = { n: 1, at: '2026-01-02' };
  // @ts-expect-error the schema wants a number
  expect(() => writeMessage(note, { n: 'one' })).not.toThrow();
  // @ts-expect-error text is text
  expect(() => writeMessage(text, 1n)).toThrow('type bigint');
  expect([sent, received, words, unparsed]).toHaveLength(4);
});

function version(version: unknown) {
  return { headers: { 'x-schema-version': version } };
}
