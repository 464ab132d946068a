import { randomUUID } from 'node:crypto';

import { testServer } from './test-server.ts';

/** The URL of a new database of the test server. Migrating it creates it, and it is removed with the server. */
export function freshDatabaseUrl(): string {
  const url = testServer('TEST_DATABASE_URL');
  url.pathname = `/test_${randomUUID().replaceAll('-', '')}`;
  return url.href;
}
