import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

/** Rules for caches (RFC 9111). */
export const caching = rowsOf('RFC 9111', [
  {
    section: '5.2.2.7',
    rule: 'A job is for its client alone, not for shared caches',
    given: 'scheduled',
    request: { path: '/v1/jobs/{id}' },
    expect: { status: 200, headers: { 'Cache-Control': /\bprivate\b/ } },
  },
  {
    section: '5.2.2.4',
    rule: 'A job is not used again without asking',
    given: 'scheduled',
    request: { path: '/v1/jobs/{id}' },
    expect: { status: 200, headers: { 'Cache-Control': /\bno-cache\b/ } },
  },
  {
    section: '5.2.2.4',
    rule: 'A list is not used again without asking',
    request: { path: '/v1/jobs?tag={unique}' },
    expect: { status: 200, headers: { 'Cache-Control': 'private, no-cache' } },
  },
  {
    section: '5.2.2.4',
    rule: 'A result is not used again without asking',
    given: 'succeeded',
    request: { path: '/v1/jobs/{id}/result' },
    expect: { status: 200, headers: { 'Cache-Control': 'private, no-cache' } },
  },
  {
    section: '5.2.2.5',
    rule: 'The current state of the queues is not stored',
    request: { path: '/v1/queues' },
    expect: { status: 200, headers: { 'Cache-Control': 'no-store' } },
  },
  {
    section: '5.2.2.5',
    rule: 'A problem is not stored, even where a cache might (404, 405)',
    request: { method: 'PUT', path: '/v1/queues' },
    expect: { status: 405, headers: { 'Cache-Control': 'no-store' } },
  },
  {
    section: '4.1',
    rule: 'Caches keep answers to waiting requests apart: Vary, with and without Prefer',
    request: { path: '/v1/jobs', body: sleep },
    expect: { status: 202, headers: { Vary: /\bPrefer\b/ } },
  },
  {
    section: '5.2.2.1',
    rule: 'Files of the page may be stored for a while',
    request: { path: '/docs/swagger-ui.css' },
    expect: { status: 200, headers: { 'Cache-Control': /max-age=\d+/ } },
  },
]);
