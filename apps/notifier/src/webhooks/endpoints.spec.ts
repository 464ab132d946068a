import { expect, it } from '@jest/globals';
import { newWebhookSecret } from '@offload/access/secrets';
import { parseConfig } from '@offload/process/config';
import { z } from 'zod';
import { webhookEndpoints } from './endpoints.ts';

const secret = newWebhookSecret();
const parse = (value: unknown) =>
  parseConfig(z.object({ WEBHOOK_ENDPOINTS: webhookEndpoints }), {
    WEBHOOK_ENDPOINTS: typeof value === 'string' ? value : JSON.stringify(value),
  });
const endpoint = { name: 'billing', url: 'https://example.com/hook?key=hidden', secrets: [secret] };

it('reads endpoints, by default for all jobs and all final statuses', () => {
  expect(parse('')).toEqual({ config: { WEBHOOK_ENDPOINTS: [] } });
  const filter = { events: ['failed'], types: ['demo.sleep'], queues: ['mail'], tags: ['nightly'] };
  expect(parse([endpoint, { ...endpoint, ...filter, name: 'other' }])).toEqual({
    config: {
      WEBHOOK_ENDPOINTS: [
        { ...endpoint, events: ['succeeded', 'failed', 'cancelled'], types: [], queues: [], tags: [] },
        { ...endpoint, ...filter, name: 'other' },
      ],
    },
  });
});

it.each([
  ['is not JSON', '[{'],
  ['the list: Invalid input', endpoint],
  ['/0/name', [{ ...endpoint, name: 'Billing!' }]],
  ['/0/url', [{ ...endpoint, url: 'ftp://example.com/hidden' }]],
  ['/0/url', [{ ...endpoint, url: 'https://user:hidden@example.com/' }]],
  ['/0/secrets', [{ ...endpoint, secrets: [] }]],
  ['/0/secrets/0', [{ ...endpoint, secrets: ['whsec_hidden'] }]],
  ['/0/secrets', [{ name: 'billing', url: endpoint.url }]],
  ['/0/events/0', [{ ...endpoint, events: ['queued'] }]],
  ['Unrecognized key', [{ ...endpoint, type: 'demo.sleep' }]],
  ['two have the same name', [endpoint, endpoint]],
])('names the fault (%s) without a secret', (fault, value) => {
  const parsed = parse(value);
  if (!('faults' in parsed)) throw new Error('not refused');
  expect(parsed.faults.join('\n')).toMatch(fault);
  expect(parsed.faults.join('\n')).not.toMatch(/hidden|whsec_\w{5}/);
});
