import { expect, it } from '@jest/globals';

import { freshDatabaseUrl } from './fresh-database.ts';

it('returns another database of the test server each time', () => {
  const [one, other] = [new URL(freshDatabaseUrl()), new URL(freshDatabaseUrl())];
  expect(one.host).toBe(new URL(process.env['TEST_DATABASE_URL'] as string).host);
  expect(one.pathname).toMatch(/^\/test_[0-9a-f]{32}$/);
  expect(one.pathname).not.toBe(other.pathname);
});
