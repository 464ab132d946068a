import assert from 'node:assert/strict';
import { rowsOf, type Row } from '../row.ts';
import { sleep } from '../scene.ts';

const PARENT = '0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331';
const asked = (traceparent: string) => `POST /v1/jobs, traceparent: ${traceparent}`;

/** Makes a row about the `traceparent` that the worker gets; null for none. */
function told(section: string, rule: string, traceparent: string, expected: string | null) {
  return {
    section,
    rule,
    asked: asked(traceparent.length > 80 ? `${traceparent.slice(0, 60)}…` : traceparent),
    answered:
      expected === null ? '202; the dispatch message has no traceparent' : `202; the dispatch message has ${expected}`,
    async run({ get, dispatchOf }) {
      const { id } = await get(
        { path: '/v1/jobs', body: { ...sleep, queue: 'traced' }, headers: { traceparent } },
        202,
      );
      assert.equal((await dispatchOf(id)).headers['traceparent'] ?? null, expected);
      await get({ method: 'POST', path: `/v1/jobs/${id}/cancel` });
    },
  } satisfies Omit<Extract<Row, { run: unknown }>, 'document'>;
}

/** The trace of a job (W3C Trace Context). */
export const tracing = rowsOf('W3C Trace Context', [
  told('3.2', 'traceparent goes with the job to its worker', `00-${PARENT}-01`, `00-${PARENT}-01`),
  told('3.2.2.1', 'Version ff is forbidden', `ff-${PARENT}-01`, null),
  told('3.2.2.2', 'Version 00 ends after its flags', `00-${PARENT}-01-more`, null),
  told('3.2.2.3', 'A trace-id of zeros is invalid', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, null),
  told('3.2.2.4', 'A parent-id of zeros is invalid', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`, null),
  told('3.2.2.4', 'Hexadecimal digits are in lower case', `00-${PARENT.toUpperCase()}-01`, null),
  told(
    '3.2.4',
    'A later version is read as far as it is known, and passed on as 00',
    `cc-${PARENT}-00-later`,
    `00-${PARENT}-00`,
  ),
  told('3.2.4', 'A later version without a dash after the flags is not read', `cc-${PARENT}-01.later`, null),
]);
