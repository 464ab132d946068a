import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 collect garbage earlier: when the old generation has grown by `percent`, not by a multiple. Offload's
 * processes keep little data for long, so collecting it is cheap. Call this at the start of the program.
 *
 * @param percent growth relative to the size after the last collection
 */
export function keepHeapSmall(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
