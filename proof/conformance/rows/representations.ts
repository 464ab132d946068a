import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

const text = JSON.stringify(sleep);
const path = '/v1/jobs';
const json = { 'content-type': 'application/json' };

/** Descriptions of bodies, and answers to unsupported ones (RFC 9110 sections 8, 12 and 15.5.16). */
export const representations = rowsOf('RFC 9110', [
  {
    section: '8.3.1',
    rule: 'Media types and the value of charset are case-insensitive, quoted or not',
    request: { path, octets: text, headers: { 'content-type': 'Application/JSON; Charset="UTF-8"' } },
    expect: { status: 202 },
  },
  {
    section: '15.5.16',
    rule: 'Content of another media type is answered 415, with Accept',
    request: { path, octets: '<job/>', headers: { 'content-type': 'application/xml' } },
    expect: { status: 415, problem: 'unsupported-media-type', headers: { Accept: 'application/json' } },
  },
  {
    section: '12.5.3',
    rule: 'A 415 for another reason than the content coding has no Accept-Encoding',
    request: { path, octets: text, headers: { 'content-type': 'text/plain', 'content-encoding': 'gzip' } },
    expect: { status: 415, problem: 'unsupported-media-type', headers: { 'Accept-Encoding': null } },
  },
  {
    section: '8.3',
    rule: 'The media type of content is not guessed',
    request: { path, octets: text },
    expect: { status: 415, problem: 'unsupported-media-type' },
  },
  {
    section: '8.4',
    rule: 'An unknown content coding is answered 415',
    request: { path, octets: text, headers: { ...json, 'content-encoding': 'compress' } },
    expect: { status: 415, problem: 'unsupported-media-type' },
  },
  {
    section: '12.5.3',
    rule: 'A 415 for a content coding lists the codings in Accept-Encoding, and has no Accept',
    request: { path, octets: text, headers: { ...json, 'content-encoding': 'compress' } },
    expect: { status: 415, headers: { 'Accept-Encoding': /^gzip, deflate, br/, Accept: null } },
  },
  {
    section: '8.4.1.3',
    rule: 'A body in gzip is read',
    asked: 'POST /v1/jobs, Content-Encoding: gzip',
    request: { path, octets: gzipSync(text), headers: { ...json, 'content-encoding': 'gzip' } },
    expect: { status: 202, body: sleep },
  },
  {
    section: '8.4.1.3',
    rule: '`x-gzip` is the same as `gzip`',
    asked: 'POST /v1/jobs, Content-Encoding: x-gzip',
    request: { path, octets: gzipSync(text), headers: { ...json, 'content-encoding': 'x-gzip' } },
    expect: { status: 202 },
  },
  {
    section: '8.4.1.2',
    rule: 'A body in deflate is read',
    asked: 'POST /v1/jobs, Content-Encoding: deflate',
    request: { path, octets: deflateSync(text), headers: { ...json, 'content-encoding': 'deflate' } },
    expect: { status: 202, body: sleep },
  },
  {
    section: '8.4.1',
    rule: 'Names of content codings are case-insensitive',
    asked: 'POST /v1/jobs, Content-Encoding: BR',
    request: { path, octets: brotliCompressSync(text), headers: { ...json, 'content-encoding': 'BR' } },
    expect: { status: 202 },
  },
  {
    section: '8.4',
    rule: 'A body that is not in the coding that it names is answered 400',
    request: { path, octets: text, headers: { ...json, 'content-encoding': 'gzip' } },
    expect: { status: 400, problem: 'bad-request' },
  },
  {
    section: '12.5.1',
    rule: 'An Accept without a match is ignored',
    request: { path: '/v1/job-types', headers: { accept: 'text/html, image/*' } },
    expect: { status: 200, headers: { 'Content-Type': /^application\/json/ } },
  },
  {
    section: '12.5.3',
    rule: 'Answers have no content coding, which every Accept-Encoding allows',
    request: { path: '/v1/job-types', headers: { 'accept-encoding': 'gzip, br;q=0.5' } },
    expect: { status: 200, headers: { 'Content-Encoding': null } },
  },
  {
    section: '8.6',
    rule: 'An answer with content says how long it is',
    request: { path: '/healthz' },
    expect: { status: 200, headers: { 'Content-Length': '18', 'Transfer-Encoding': null } },
  },
  {
    section: '14.2',
    rule: 'A Range of a resource without ranges is ignored',
    given: 'scheduled',
    request: { path: '/v1/jobs/{id}', headers: { range: 'bytes=0-9' } },
    expect: { status: 200, headers: { 'Content-Range': null }, body: { id: '{id}' } },
  },
  {
    section: '14.2',
    rule: 'Range is for GET alone: with HEAD it is ignored',
    request: { method: 'HEAD', path: '/docs/swagger-ui.css', headers: { range: 'bytes=0-9' } },
    expect: { status: 200, headers: { 'Content-Range': null } },
  },
  {
    section: '14.2',
    rule: 'A range in an unknown unit is ignored',
    request: { path: '/docs/swagger-ui.css', headers: { range: 'lines=0-9' } },
    expect: { status: 200, headers: { 'Content-Range': null } },
  },
  {
    section: '15.3.7',
    rule: 'A Range of a file is answered 206, with Content-Range',
    request: { path: '/docs/swagger-ui.css', headers: { range: 'bytes=0-9' } },
    expect: { status: 206, headers: { 'Content-Range': /^bytes 0-9\/\d+$/, 'Content-Length': '10' } },
  },
  {
    section: '15.5.17',
    rule: 'A Range beyond the end is answered 416, with the length in Content-Range',
    request: { path: '/docs/swagger-ui.css', headers: { range: 'bytes=100000000-' } },
    expect: { status: 416, headers: { 'Content-Range': /^bytes \*\/\d+$/ } },
  },
]);
