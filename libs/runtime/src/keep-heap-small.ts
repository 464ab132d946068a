import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 collect what is no longer used as soon as the old generation has doubled, not when it is some times as large: our
 * processes hold little for long, and collecting it costs little. To be called before much is allocated.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=100');
}
