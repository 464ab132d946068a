// What the compose test says of what it sees.
import { setTimeout as delay } from 'node:timers/promises';

export function truly(holds, message) {
  if (!holds) throw new Error(message);
}

export function equal(actual, expected) {
  const [is, should] = [actual, expected].map((value) => JSON.stringify(value));
  truly(is === should, `is ${is}, should be ${should}`);
}

/** @returns the first truthy value of `probe` */
export async function eventually(what, probe, timeoutMs = 30_000) {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(50)) {
    const value = await probe();
    if (value) return value;
  }
  throw new Error(`${what}: not within ${timeoutMs} ms`);
}

/** @returns an array with `value` in it so many times */
export function repeated(times, value) {
  return Array.from({ length: times }, () => value);
}
