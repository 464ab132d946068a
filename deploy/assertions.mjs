// Assertions of the compose test.
import { setTimeout as delay } from 'node:timers/promises';

/** @throws CheckFailed with `message` unless `holds` is truthy */
export function truly(holds, message) {
  if (!holds) throw new Error(message);
}

/** @throws CheckFailed unless both values are deeply equal */
export function equal(actual, expected) {
  const [is, should] = [actual, expected].map((value) => JSON.stringify(value));
  truly(is === should, `is ${is}, should be ${should}`);
}

/** Repeats `probe` until it returns a truthy value. @returns that value */
export async function eventually(what, probe, timeoutMs = 30_000) {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(50)) {
    const value = await probe();
    if (value) return value;
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`);
}

/** @returns an array with `value` repeated `times` times */
export function repeated(times, value) {
  return Array.from({ length: times }, () => value);
}
