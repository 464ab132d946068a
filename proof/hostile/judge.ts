import { problem } from '@offload/jobs/answers';
import type { Exchange } from '@offload/spec-kit/contracts';
import type { Answer } from './answers.ts';
import type { Asked } from './script.ts';

/** Most bytes of a problem: it must not be larger than a line of a log. */
const LONGEST_PROBLEM = 64 * 1024;

/** Paths that the document does not describe, because they are for browsers. */
const undescribed = /^\/docs\//;

/**
 * Finds the faults of any answer, and its faults as an answer to this request if the request is known.
 *
 * @param faultsByDocument the result of `openApiChecker`
 */
export function judge(
  answer: Answer,
  asked: Asked | null,
  faultsByDocument: (exchange: Exchange) => string[],
): string[] {
  const { status, headers, body } = answer;
  if (status < 200) return status === 100 ? [] : [`an interim answer ${status}`];
  const faults: string[] = [];
  if (status >= 500) faults.push(`it is answered with ${status}: ${body.toString().slice(0, 500)}`);
  const requestId = headers['x-request-id'] ?? '';
  if (!/^[\x21-\x7e]{1,128}$/.test(requestId)) faults.push(`X-Request-Id is ${JSON.stringify(requestId)}`);
  if (status >= 400 && asked?.method !== 'HEAD') faults.push(...problemFaults(answer));
  if (asked && status < 300 && !mayBe(asked)) faults.push(`${status} to who has no key for it`);
  if (asked && isDescribed(asked)) {
    const { method, target: path } = asked;
    faults.push(...faultsByDocument({ method, path, status, headers, body: body.toString() }));
  }
  return faults;
}

function mayBe({ method, target, rights }: Asked): boolean {
  if (rights === 'all' || !target.toLowerCase().includes('/v1/')) return true;
  return rights === 'read' && ['GET', 'HEAD', 'OPTIONS'].includes(method);
}

function problemFaults({ status, headers, body }: Answer): string[] {
  if (headers['content-type'] !== 'application/problem+json; charset=utf-8') {
    return [`${status} with Content-Type ${headers['content-type']}`];
  }
  if (body.length > LONGEST_PROBLEM) return [`a problem of ${body.length} octets`];
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString());
  } catch {
    return [`a problem that is not JSON: ${body.toString().slice(0, 300)}`];
  }
  const read = problem.safeParse(parsed);
  if (!read.success) return [`${status} is no problem by the contract: ${read.error.message}`];
  const faults: string[] = [];
  if (read.data.status !== status) faults.push(`${status} says that it is ${read.data.status}`);
  if (!/^\/problems\/[a-z-]+$/.test(read.data.type)) faults.push(`the problem's type is ${read.data.type}`);
  return faults;
}

/** Whether the document describes the call: its path is in origin form without percent-encoding. */
function isDescribed({ target, method }: Asked): boolean {
  const [path = ''] = target.split('?');
  return (
    method !== 'CONNECT' &&
    /^\/[!-~]*$/.test(path) &&
    !/[%#\\]/.test(target.split('?')[0] ?? '') &&
    !undescribed.test(path)
  );
}
