import { expect, it } from '@jest/globals';
import { asyncApiChecker } from './asyncapi-checker.ts';

const news = { payload: { $ref: '#/components/schemas/News' }, headers: { type: 'object', required: ['x-kind'] } };
const document = {
  asyncapi: '3.0.0',
  info: { title: 'News', version: '1' },
  channels: {
    news: {
      address: '{topic}',
      parameters: { topic: {} },
      messages: { news: { $ref: '#/components/messages/news' } },
      bindings: { amqp: { is: 'routingKey', exchange: { name: 'news', type: 'topic' }, bindingVersion: '0.3.0' } },
    },
  },
  operations: {
    send: {
      action: 'send',
      channel: { $ref: '#/channels/news' },
      messages: [{ $ref: '#/channels/news/messages/news' }],
    },
  },
  components: {
    messages: { news: { ...news, 'x-amqp-properties': { properties: { delivery_mode: { const: 2 } } } } },
    schemas: {
      News: { type: 'object', properties: { at: { type: 'string', format: 'date-time' } }, required: ['at'] },
    },
  },
};

/** The document with one text replaced. */
const spoilt = (from: string, to: string) => JSON.parse(JSON.stringify(document).replace(from, to)) as object;

it('finds no fault in a valid document', () => {
  expect(asyncApiChecker(document).documentFaults()).toEqual([]);
});

it.each([
  ['a binding that AMQP does not have', '"is":"routingKey"', '"is":"exchange"'],
  ['another version of the specification', '"asyncapi":"3.0.0"', '"asyncapi":"2.6.0"'],
  ['an unknown action', '"action":"send"', '"action":"publish"'],
  ['a broken reference', '{"$ref":"#/components/messages/news"}', '{"$ref":"#/components/messages/olds"}'],
  ['an operation with a message of another channel', '#/channels/news/messages/news"', '#/components/messages/news"'],
  ['a parameter that is not described', '"address":"{topic}"', '"address":"{subject}"'],
])('finds %s', (_what, from, to) => {
  expect(asyncApiChecker(spoilt(from, to)).documentFaults()).not.toEqual([]);
});

it('compares payload, headers and properties of a message with the document', () => {
  const { messageFaults } = asyncApiChecker(document);
  const good = { payload: { at: '2026-11-21T08:00:00Z' }, headers: { 'x-kind': 1 }, properties: { delivery_mode: 2 } };
  expect(messageFaults('news', good)).toEqual([]);
  expect(messageFaults('news', { ...good, payload: { at: 'now' } })).toEqual([
    expect.stringContaining('news: payload/at: must match format'),
  ]);
  expect(messageFaults('news', { ...good, headers: {} })).toHaveLength(1);
  expect(messageFaults('news', { ...good, properties: { delivery_mode: 1 } })).toHaveLength(1);
  expect(messageFaults('olds', good)).toEqual(['olds: is not in the document']);
});
