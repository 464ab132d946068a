import { expect, it } from '@jest/globals';
import { withoutToken } from './token-parameter.ts';

it.each([
  ['/v1/events', '/v1/events'],
  ['/v1/events?tag=a&type=b', '/v1/events?tag=a&type=b'],
  ['/v1/events?tokens=a&x=token', '/v1/events?tokens=a&x=token'],
  ['/v1/events?', '/v1/events?'],
  ['/v1/events?token=secret', '/v1/events'],
  ['/v1/events?token', '/v1/events'],
  ['/v1/events?tag=a%26b&token=secret&type=b', '/v1/events?tag=a%26b&type=b'],
  ['/v1/events?token=secret&token=secret', '/v1/events'],
  ['/v1/events?%74ok%65n=secret', '/v1/events'],
  ['/v1/events??token=secret', '/v1/events'],
  ['/v1/events?token=secret?x=1#y', '/v1/events'],
  ['/v1/events?TOKEN=secret&tag=a', '/v1/events?tag=a'],
  ['/v1/events?x=1;token=secret&tag=a', '/v1/events?x=1&tag=a'],
  ['/v1/events?x=1%3btoken%3Dsecret', '/v1/events?x=1'],
  ['/v1/events?token=secret;x=1', '/v1/events'],
  ['/v1/events?a?token=secret', '/v1/events?a'],
  ['/v1/events?token[]=secret', '/v1/events'],
  ['/v1/events?%54OKEN%5B0%5D=secret', '/v1/events'],
  ['/v1/events?x=token;y=1&token_id=2', '/v1/events?x=token;y=1&token_id=2'],
  ['/v1/events?token=%zz&%zz=1', '/v1/events?%zz=1'],
])('removes the token from %s', (target, rest) => {
  expect(withoutToken(target)).toBe(rest);
});
