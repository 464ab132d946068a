import type { Asked } from '../asked.ts';
import { rowsOf, type Row } from '../row.ts';
import { sleep } from '../scene.ts';

const post = (octets: string | Uint8Array): Asked => ({
  path: '/v1/jobs',
  octets,
  headers: { 'content-type': 'application/json' },
});
/** A job with this JSON as the text of a member that is stored unchanged. */
const withCsv = (json: string) => post(`{"type":"csv.profile","delayMs":3600000,"payload":{"csv":${json}}}`);
const text = JSON.stringify(sleep);
const noJson = { status: 400, problem: 'malformed-json' };

function faultAt(pointer: string) {
  return { status: 400, problem: 'invalid-request', body: { errors: [{ pointer }] } };
}

/** A payload of nested arrays. The job around it adds two levels. */
const nested = (levels: number) =>
  `{"type":"demo.sleep","payload":{"seconds":${'['.repeat(levels)}${']'.repeat(levels)}}}`;

const rfc8259: Row[] = rowsOf('RFC 8259', [
  {
    section: '2',
    rule: 'Whitespace between tokens is insignificant',
    request: post(` \t\r\n{ "type" :\n"demo.sleep" ,"payload":{\r\n} , "delayMs" : 60000 }\n`),
    asked: 'POST /v1/jobs with all kinds of whitespace between the tokens',
    expect: { status: 202 },
  },
  {
    section: '2',
    rule: 'Any value is a JSON text: one that is not a job is invalid, not malformed',
    request: post('"demo.sleep"'),
    expect: faultAt(''),
  },
  {
    section: '2',
    rule: 'Text after a JSON value is malformed',
    request: post(`${text} {}`),
    expect: noJson,
  },
  {
    section: '2',
    rule: 'An empty body is no JSON',
    asked: 'POST /v1/jobs, Content-Length: 0',
    request: post(''),
    expect: noJson,
  },
  {
    section: '4',
    rule: 'A comma after the last member is an error',
    request: post('{"type":"demo.sleep","payload":{},}'),
    expect: noJson,
  },
  {
    section: '6',
    rule: 'Numbers have no leading zeros',
    request: post('{"type":"demo.sleep","payload":{"seconds":01}}'),
    expect: noJson,
  },
  {
    section: '6',
    rule: 'NaN and Infinity are not numbers',
    request: post('{"type":"demo.sleep","payload":{"seconds":NaN}}'),
    expect: noJson,
  },
  {
    section: '6',
    rule: 'A number is the same with fraction and exponent',
    request: post('{"type":"demo.sleep","payload":{"seconds":0.0},"delayMs":36.0E5}'),
    expect: { status: 202, body: { status: 'scheduled', payload: { seconds: 0 } } },
  },
  {
    section: '7',
    rule: 'Control characters in a string must be escaped',
    request: withCsv('"a\tb"'),
    expect: noJson,
  },
  {
    section: '7',
    rule: 'An escaped pair of surrogates is one character',
    request: withCsv('"\\ud83d\\ude80 \\u00e4\\/\\u0000"'),
    expect: { status: 202, body: { payload: { csv: '\u{1f680} \u00e4/\0' } } },
  },
  {
    section: '8.1',
    rule: 'Text that is not UTF-8 is refused, not replaced',
    asked: 'POST /v1/jobs with the octet ff in a string',
    request: post(Buffer.from(`{"type":"csv.profile","payload":{"csv":"\xff"}}`, 'latin1')),
    expect: noJson,
  },
  {
    section: '8.1',
    rule: 'A byte order mark before the text is ignored',
    request: post(`\ufeff${text}`),
    asked: 'POST /v1/jobs with U+FEFF before the body',
    expect: { status: 202 },
  },
  {
    section: '8.1',
    rule: 'UTF-16 is refused',
    asked: 'POST /v1/jobs in UTF-16',
    request: post(Buffer.from(text, 'utf16le')),
    expect: noJson,
  },
  {
    section: '8.2',
    rule: 'Half a pair of surrogates comes back as it was sent',
    request: withCsv('"\\ud800"'),
    expect: { status: 202, body: { payload: { csv: '\ud800' } } },
  },
  {
    section: '8.3',
    rule: 'Names are compared after decoding: an escaped name is the same name',
    request: post('{"type":"demo.sleep","payload":{"seconds":0,"\\u0073econds":9}}'),
    expect: faultAt('/payload/seconds'),
  },
  {
    section: '9',
    rule: 'A body with too many levels gets the place of the first level too many',
    asked: 'POST /v1/jobs with 65 levels',
    request: post(nested(63)),
    expect: { status: 400, problem: 'invalid-request', body: { detail: /64 levels/ } },
  },
  {
    section: '9',
    rule: 'Very deep nesting does no harm',
    asked: 'POST /v1/jobs with 500,000 levels',
    request: post(nested(500_000)),
    expect: { status: 400, problem: 'invalid-request' },
  },
  {
    section: '11',
    rule: 'application/json has no other charset than UTF-8',
    request: { path: '/v1/jobs', octets: text, headers: { 'content-type': 'application/json; charset=iso-8859-1' } },
    expect: { status: 415, problem: 'unsupported-media-type' },
  },
  {
    section: '8.1',
    rule: 'Answers are UTF-8',
    request: withCsv('"\u00e4\u20ac\u{1f680}"'),
    expect: { status: 202, body: { payload: { csv: '\u00e4\u20ac\u{1f680}' } } },
  },
]);

const rfc7493: Row[] = rowsOf('RFC 7493', [
  {
    section: '2.2',
    rule: 'A number beyond a double is refused, not made infinite',
    request: post('{"type":"demo.sleep","payload":{"seconds":1e400}}'),
    expect: faultAt('/payload/seconds'),
  },
  {
    section: '2.3',
    rule: 'A duplicate member is refused',
    request: post('{"type":"demo.sleep","payload":{},"priority":1,"priority":2}'),
    expect: faultAt('/priority'),
  },
]);

/** Bodies in JSON. */
export const json = [...rfc8259, ...rfc7493];
