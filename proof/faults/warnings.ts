/**
 * Finds Node.js's own warnings in the outputs of processes, such as a leak of listeners: one line for each kind, with
 * its places.
 */
export function warningsIn(outputs: ReadonlyMap<string, string>): string[] {
  const places = new Map<string, string[]>();
  for (const [place, output] of outputs) {
    const found = [...output.matchAll(/^\(node:\d+\) (\w*Warning: .*)$/gm)].map(([, warning = '']) => warning);
    for (const warning of new Set(found)) places.set(warning, [...(places.get(warning) ?? []), place]);
  }
  return [...places].map(([warning, where]) => `${warning} (${where.join(', ')})`);
}
