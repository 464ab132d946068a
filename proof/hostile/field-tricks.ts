import { keys } from './script.ts';

const many = (text: string, times = 5_000): string => text.repeat(times);

/** Hostile values by field, known from attacks on other servers. Each is sent alone and doubled. */
export const fieldTricks: Record<string, readonly string[]> = {
  'Idempotency-Key': [
    ...['""', '"a"', 'a', '"a', 'a"', '"\\"a\\\\"', '"\\a"', '"a";p=1', '"a";p="x;y"', '"a", "b"', '  "a"  ', '?1'],
    ...[':YQ==:', '"a" "b"', "'a'", '"a\tb"', '"é"', `"${many('x', 255)}"`, `"${many('x', 256)}"`],
    ...[`"${many('\\"', 255)}"`, `"${many('a')}`, `"a"${many(';a')}`, `"a"${many(' ')}x`, `"a";${many('a=')}`],
    ...[`"a"${many('; a=" ', 2_000)}`, '', ' ', '__proto__'],
  ],
  Prefer: [
    ...['wait=0', 'wait="0"', 'WAIT = 0', 'wait=1', 'wait=0;x', 'foo, wait=0', 'wait=0, wait=60', 'wait', 'wait='],
    ...['wait=-1', 'wait=1e1', 'wait=0x9', 'wait=1.5', 'wait=+1', 'wait= ', `wait=${many('0')}`, 'wait="'],
    ...['foo="bar, wait=60"', 'wait="\\0"', many('"'), many(','), many(';'), many('\\'), many('wait,')],
    ...['return=minimal', 'handling=strict', '=', '', 'wait=٣'],
  ],
  'If-None-Match': [
    ...['*', 'W/"1"', '"1"', '"', '"a","b"', 'w/"1"', 'W/', ' * ', '*, "1"', many('"'), many('W/"1"', 900), ''],
  ],
  traceparent: [
    ...[`00-${many('4', 32)}-${many('0', 15)}1-01`, `01-${many('4', 32)}-${many('f', 16)}-01-x`, '', 'x', many('0-')],
    ...[`ff-${many('4', 32)}-${many('f', 16)}-01`, `00-${many('0', 32)}-${many('0', 16)}-00`, `00-${many('A', 55)}`],
  ],
  'X-Request-Id': ['', 'a b', many('x', 128), many('x', 129), 'é', 'a,b', '"', '<x>', '{{x}}', '__proto__', many('x')],
  Authorization: [
    ...['', 'Bearer', 'Bearer ', 'Bearer é', 'Basic YTpi', 'Bearer anonymous', 'Digest x=1', keys.all],
    ...[`bearer ${keys.all}`, `BEARER   ${keys.all}`, `Bearer ${keys.all} `, `Bearer\t${keys.all}`],
    ...[`Bearer ${keys.all} x`, `Bearer ${keys.all},`, `Bearer "${keys.all}"`, `Bearer ${keys.read}`],
    ...[`Bearer ${many('a')}`, `Bearer${many(' ')}`, `Bearer ${keys.all.toUpperCase()}`],
  ],
  'Content-Type': [
    ...['', 'application/json;', 'APPLICATION/JSON', 'application/json; charset=UTF8'],
    ...['application/json; charset="utf-8"', 'application/json; charset=utf-16', 'application/json, text/plain'],
    ...['text/json', 'application/jsonp', '*/*', 'json', '/', 'application/json; charset=utf-8; charset=utf-7'],
    ...['application/json\t;a=b', `application/json;${many('a=b;', 2_000)}`, 'multipart/form-data; boundary=x'],
    ...['application/x-www-form-urlencoded', 'application/json; a="', many('a/'), '__proto__'],
  ],
  Host: [
    ...['', 'a b', 'a,b', 'é', 'x:99999', '[::1]', 'a@b', '../..', 'http://x', many('a'), 'x:', ':80'],
    ...['127.0.0.1:80:80', '%00'],
  ],
  Connection: [
    ...[
      'close',
      'keep-alive',
      'close, keep-alive',
      'upgrade',
      'Upgrade, HTTP2-Settings',
      'x-request-id',
      many('a,'),
      '',
    ],
  ],
  Upgrade: ['websocket', 'h2c', 'TLS/1.0, HTTP/1.1', ''],
  Expect: ['100-continue', '100-Continue', '', '200-ok', '100-continue, x', many('x')],
  Accept: ['text/html', 'application/xml;q=0.9', '', many('a/b,'), 'application/json;q=0'],
  'Accept-Encoding': ['gzip', 'identity;q=0', '*;q=0', many('gzip,')],
  Range: ['bytes=0-0', 'bytes=-1', 'bytes=0-', `bytes=${many('0-,')}`],
  'If-Modified-Since': ['Thu, 01 Jan 1970 00:00:00 GMT', 'x', '9'.repeat(50)],
  'If-Match': ['*', '"x"'],
  'Max-Forwards': ['0', '-1'],
  'X-HTTP-Method-Override': ['DELETE'],
  'X-Forwarded-For': ['::1', '127.0.0.1, x', many('1,'), '999.999.999.999'],
  Forwarded: ['for="[::1]";host=x;proto=ftp'],
  Cookie: ['a=b', many(';'), '__proto__=1'],
  Origin: ['null', 'http://x'],
  'Keep-Alive': ['timeout=0, max=0', 'timeout=99999999999'],
  Trailer: ['Content-Length'],
  TE: ['trailers, deflate;q=0.5'],
  ['__proto__']: ['1'],
  constructor: ['1'],
};

/** Lines that are not fields, or only for some parsers; and very many fields. */
export const lineTricks = [
  ...['X-A: b\r\n c', 'X-A:\r\n\tb', ' X-A: b', 'X A: b', 'X-A : b', ': b', 'X-A', '', 'X-A: a\0b', 'X-A: a\rb'],
  ...['X-A: a\nX-B: c', 'X-\xe9: b', 'X-A: \xe9\x80', 'X-A: \x01', 'X-A: \x7f', '\x00', 'X-(A): b', 'X-A:'],
  ...[`X-${many('A', 9_000)}: b`, '__proto__: x', `X-A: ${many('b', 15_000)}`, `X-A: ${many('b', 17_000)}`],
  ...[`X-A: ${many('b', 100_000)}`, 'Host : 127.0.0.1', 'Host\t: x'],
  ...[50, 500, 2_500].map((count) => Array.from({ length: count }, (_, n) => `a${n}:`).join('\r\n')),
];
