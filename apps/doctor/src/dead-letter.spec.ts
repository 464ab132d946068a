import { describe, expect, it } from '@jest/globals';
import type { BrowsedMessage } from '@offload/messaging/queues';
import { deadLetterEntry, deadLetterInFull } from './dead-letter-text.ts';
import { readDeadLetter } from './dead-letter.ts';

const jobId = '01a1fba9-679a-75c8-9117-2a8c29e05854';

function message(content: string | Buffer, properties: Record<string, unknown> = {}): BrowsedMessage {
  const fields = { exchange: 'jobs.dead', routingKey: '' };
  return { content: Buffer.from(content), properties, fields } as unknown as BrowsedMessage;
}

describe('readDeadLetter', () => {
  it("reads a worker's reason", () => {
    const headers = { 'x-offload-reason': 'message_id is not a UUID', 'x-offload-queue': 'mail' };
    const properties = { messageId: 'a', type: 'dispatch', timestamp: 1_795_246_262, headers };
    expect(readDeadLetter(message(JSON.stringify({ jobId, type: 'demo.sleep' }), properties))).toEqual({
      id: 'a',
      sentAt: new Date('2026-11-21T07:31:02Z'),
      queue: 'mail',
      type: 'dispatch',
      dispatch: { jobId, type: 'demo.sleep' },
      reason: 'message_id is not a UUID',
    });
  });

  it("reads RabbitMQ's reason", () => {
    const death = {
      reason: 'delivery_limit',
      count: 1,
      queue: 'jobs.mail',
      exchange: 'jobs',
      'routing-keys': ['mail'],
    };
    const { queue, reason } = readDeadLetter(message('', { headers: { 'x-death': [death] } }));
    expect([queue, reason]).toEqual(['mail', 'it came back too often: its queue has a delivery limit']);
    expect(readDeadLetter(message('', { headers: { 'x-first-death-queue': 'jobs.mail' } })).queue).toBe('mail');
  });

  it('reads a message without a reason', () => {
    expect(readDeadLetter(message(Buffer.from([255, 0])))).toEqual({
      id: expect.stringMatching(/^sha256:[0-9a-f]{12}$/),
      sentAt: null,
      queue: null,
      type: null,
      dispatch: null,
      reason: 'no reason is given',
    });
    const odd = { messageId: 7, type: '', timestamp: 1e300, headers: { 'x-death': 'no list', 'x-offload-queue': 1 } };
    expect(readDeadLetter(message('{"jobId":7}', odd))).toMatchObject({ sentAt: null, queue: null, dispatch: null });
  });
});

describe('the text', () => {
  const deadLetter = { ...readDeadLetter(message('')), id: 'a', reason: 'no\u001b[2J more', status: null };

  it('contains no control characters for a terminal', () => {
    expect(deadLetterEntry(deadLetter, 1)).not.toContain('\u001b');
    const full = deadLetterInFull(deadLetter, 1, message('\u001b[2J\tand\nso on', { headers: { '\u001b': '\u009b' } }));
    expect(full).not.toMatch(/[\u001b\u009b]/);
    expect(full).toContain('\\u{1b}[2J\tand\nso on');
  });

  it('shows a body that is not text in hexadecimal, and bytes in headers too', () => {
    const headers = { bytes: Buffer.from([1, 255]), big: 2n ** 60n };
    const full = deadLetterInFull(deadLetter, 1, message(Buffer.alloc(40, 255), { headers }));
    expect(full).toContain(`in hexadecimal, since it is not UTF-8:\n${'f'.repeat(64)}\n${'f'.repeat(16)}`);
    expect(full).toContain('bytes: "01ff"');
    expect(full).toContain('big: "1152921504606846976"');
  });
});
