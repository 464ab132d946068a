import { expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { registerEndpoints, type WebhookEndpoint } from './register-endpoints.ts';

it('keeps secrets and unknown members out of the database', async () => {
  const sent: unknown[] = [];
  const pool = { query: (statement: unknown) => (sent.push(statement), Promise.resolve({ rows: [] })) };
  const endpoint: WebhookEndpoint & { secrets: string[] } = {
    ...{ name: 'billing', url: 'https://example.com:8443/hook', secrets: ['whsec_hidden'] },
    ...{ events: ['succeeded'], types: [], queues: [], tags: [] },
  };
  await registerEndpoints(pool as unknown as Pool, [endpoint]);
  expect(JSON.stringify(sent)).toContain('example.com:8443');
  expect(JSON.stringify(sent)).not.toContain('hidden');
});
