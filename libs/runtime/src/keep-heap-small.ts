import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 collect what is no longer used as soon as the old generation has grown by so much, not when it is some times as
 * large: our processes hold little for long, and collecting it costs little. And the young generation stays as large as loading
 * the modules has made it (8 MiB, twice), where V8 would double it. To be called when they are loaded, and before jobs come.
 *
 * @param percent of the old generation's size after the last collection
 */
export function keepHeapSmall(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`);
  setFlagsFromString('--semi-space-growth-factor=1');
}
