import assert from 'node:assert/strict';
import { rowsOf } from '../row.ts';
import { sleep } from '../scene.ts';

const path = '/v1/jobs';
const keyed = (key: string) => ({ path, body: sleep, headers: { 'idempotency-key': key } });
const refused = { status: 400, problem: 'invalid-request', body: { errors: [{ header: 'Idempotency-Key' }] } };

/** The syntax of `Idempotency-Key`: a string (RFC 8941). */
export const structuredFields = rowsOf('RFC 8941', [
  {
    section: '3.1.2',
    rule: 'An item may have parameters, strings among them; they are not part of the key',
    asked: 'POST /v1/jobs, Idempotency-Key: "…"; a=1; b="c;d"; e and the same without',
    answered: '202 twice, of one job',
    async run({ get, unique }) {
      const asked = (parameters: string) => ({
        path,
        body: sleep,
        headers: { 'idempotency-key': `"${unique}"${parameters}` },
      });
      const first = await get(asked(''), 202);
      assert.equal((await get(asked('; a=1; b="c;d"; e'), 202)).id, first.id);
    },
  },
  {
    section: '3.3.3',
    rule: '`\\"` and `\\\\` stand for the characters after the backslash',
    request: keyed('"{unique} \\"quoted\\" \\\\"'),
    expect: { status: 202 },
  },
  {
    section: '3.3.3',
    rule: 'A backslash before another character is an error',
    request: keyed('"{unique}\\n"'),
    expect: refused,
  },
  {
    section: '3.3.3',
    rule: 'A string has characters of ASCII alone',
    request: keyed('"{unique}-\u00e4"'),
    expect: refused,
  },
  {
    section: '4.2',
    rule: 'A list instead of an item is an error',
    request: keyed('"{unique}", "another"'),
    expect: refused,
  },
  {
    section: '4.2',
    rule: 'Text after the item is an error',
    request: keyed('"{unique}" more'),
    expect: refused,
  },
]);
