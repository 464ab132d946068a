import { expect, it } from '@jest/globals';

import { freshVhost } from './fresh-vhost.ts';
import { manage } from './manage.ts';

it('makes a virtual host in which the test user has all permissions, and removes it', async () => {
  const vhost = await freshVhost();
  const { username, pathname } = new URL(vhost.amqpUrl);
  expect(pathname).toBe(`/${vhost.name}`);
  expect(await manage('GET', `/api/vhosts/${vhost.name}/permissions`)).toEqual([
    { user: username, vhost: vhost.name, configure: '.*', write: '.*', read: '.*' },
  ]);

  await vhost.remove();
  expect(await manage('GET', `/api/vhosts/${vhost.name}`)).toBeUndefined();
  await vhost.remove();
});
