import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 collect what is no longer used as soon as the old generation has grown by so much, not when it is some times as
 * large: our processes hold little for long, and collecting it costs little. To be called before much is allocated.
 *
 * @param percent of its size after the last collection
 */
export function keepHeapSmall(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}
