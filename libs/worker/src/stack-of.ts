import { inspect } from 'node:util';
import { storable } from '@offload/jobs';

/** Longest stack of one error, and of all errors together, in UTF-16 code units. */
const MOST_OF_ONE = 4 * 1024;
const MOST_OF_ALL = 8 * 1024;
/** Most errors in the text: the thrown error, its causes, and the errors of an AggregateError. */
const MOST_ERRORS = 8;

/**
 * Describes a thrown value: its stack, and the stacks of its causes and of the errors in an AggregateError. The value
 * may be no error, have circular causes, or have members that throw. Never throws.
 */
export function stackOf(thrown: unknown): string {
  const told: string[] = [];
  const seen = new Set<unknown>();

  function tell(error: unknown, before: string): void {
    if (told.length === MOST_ERRORS) return;
    if (seen.has(error)) return void told.push(`${before}one that stands above`);
    seen.add(error);
    told.push(`${before}${ownStack(error)}`);
    const cause = member(error, 'cause');
    if (cause !== undefined) tell(cause, 'Caused by: ');
    const gathered = member(error, 'errors');
    if (!Array.isArray(gathered)) return;
    for (let at = 0; at < Math.min(gathered.length, MOST_ERRORS); at += 1)
      tell(member(gathered, at), 'Together with: ');
  }

  tell(thrown, '');
  return storable(told.join('\n'), MOST_OF_ALL);
}

function ownStack(error: unknown): string {
  const stack = member(error, 'stack');
  if (typeof stack === 'string' && stack !== '') return stack.slice(0, MOST_OF_ONE);
  try {
    const look = { depth: 1, customInspect: false, maxArrayLength: 10, maxStringLength: 500 };
    return inspect(error, look).slice(0, MOST_OF_ONE);
  } catch {
    return 'something that can not be described';
  }
}

/** @returns the member's value; undefined if reading it throws */
function member(of: unknown, name: string | number): unknown {
  if ((typeof of !== 'object' && typeof of !== 'function') || of === null) return undefined;
  try {
    return (of as Record<string | number, unknown>)[name];
  } catch {
    return undefined;
  }
}
