import { expect, it } from '@jest/globals';
import { sendRawJson, shareable } from './send-json.ts';
import { serve } from './spec-service.ts';

it.each([
  ['small', 'a"é', false],
  ['large', 'x'.repeat(20_000), true],
  ['large, and more bytes than characters', 'é'.repeat(20_000), true],
])('sends a shared text whole, with its length: %s', async (_what, text, isLarge) => {
  const json = shareable(JSON.stringify(text));
  expect(Buffer.isBuffer(json)).toBe(isLarge);
  const { base } = await serve((app) => app.get('/shared', (_request, response) => sendRawJson(response, json)));
  const answers = await Promise.all([fetch(`${base}/shared`), fetch(`${base}/shared`)]);
  for (const answer of answers) {
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(Number(answer.headers.get('content-length'))).toBe(Buffer.byteLength(JSON.stringify(text)));
    expect(await answer.json()).toBe(text);
  }
});
