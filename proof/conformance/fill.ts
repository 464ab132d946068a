/** Copies a value and replaces `{name}` in each of its texts. Unknown names stay. */
export function fill<T>(pattern: T, values: Record<string, string>): T {
  if (typeof pattern === 'string')
    return pattern.replace(/\{(\w+)\}/g, (all, name: string) => values[name] ?? all) as T;
  if (pattern === null || typeof pattern !== 'object' || pattern instanceof RegExp || pattern instanceof Uint8Array) {
    return pattern;
  }
  if (Array.isArray(pattern)) return pattern.map((each: unknown) => fill(each, values)) as T;
  return Object.fromEntries(Object.entries(pattern).map(([name, each]) => [name, fill(each as unknown, values)])) as T;
}
