import type { Answer } from './answer.ts';
import { jsonOf } from './answer.ts';
import type { Expected } from './row.ts';

/** Finds the differences between an answer and the expected one. */
export function differences(answer: Answer, { status, problem, headers = {}, body }: Expected): string[] {
  if (answer.status !== status) return [`answered ${answer.status} instead of ${status}: ${answer.body.slice(0, 300)}`];
  const faults = Object.entries(headers).flatMap(([name, expected]) => {
    const given = answer.headers[name.toLowerCase()];
    return leafFaults(given ?? null, expected, name);
  });
  if (problem !== undefined) {
    faults.push(
      ...leafFaults(answer.headers['content-type'] ?? null, /^application\/problem\+json(;|$)/, 'Content-Type'),
    );
    faults.push(...partFaults(jsonOf(answer), { type: `/problems/${problem}`, status }, ''));
  }
  if (body !== undefined) faults.push(...partFaults(jsonOf(answer), body, ''));
  return faults;
}

/** Compares values. Only the expected members of an object count, but all items of an array. */
function partFaults(given: unknown, expected: unknown, at: string): string[] {
  if (expected === null || typeof expected !== 'object' || expected instanceof RegExp) {
    return leafFaults(given, expected, at);
  }
  if (given === null || typeof given !== 'object') return [`${at || 'the body'} is ${show(given)}`];
  if (Array.isArray(expected) && (!Array.isArray(given) || given.length !== expected.length)) {
    return [`${at || 'the body'} is ${show(given)} instead of ${show(expected)}`];
  }
  return Object.entries(expected).flatMap(([name, value]) =>
    partFaults((given as Record<string, unknown>)[name], value, `${at}/${name}`),
  );
}

function leafFaults(given: unknown, expected: unknown, at: string): string[] {
  const fits = expected instanceof RegExp ? typeof given === 'string' && expected.test(given) : given === expected;
  return fits ? [] : [`${at || 'the body'} is ${show(given)} instead of ${show(expected)}`];
}

function show(value: unknown): string {
  return value instanceof RegExp ? String(value) : (JSON.stringify(value)?.slice(0, 300) ?? 'missing');
}
