import { randomUUID } from 'node:crypto';

import { testServer } from './test-server.ts';

/** The URL of a database of the test server that does not exist yet: migrating it creates it. It goes with the server. */
export function freshDatabaseUrl(): string {
  const url = testServer('TEST_DATABASE_URL');
  url.pathname = `/test_${randomUUID().replaceAll('-', '')}`;
  return url.href;
}
