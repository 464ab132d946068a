/** All lines, those that are only expected with `-` in front, and those that are only there with `+`. */
export function diff(expected: readonly string[], actual: readonly string[]): string[] {
  // common[i][j]: how many lines, in this order, the two have in common from i and j on
  const common = Array.from({ length: expected.length + 1 }, () => new Array<number>(actual.length + 1).fill(0));
  const at = (i: number, j: number): number => common[i]?.[j] ?? 0;
  for (let i = expected.length - 1; i >= 0; i -= 1) {
    for (let j = actual.length - 1; j >= 0; j -= 1) {
      const longest = expected[i] === actual[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      (common[i] as number[])[j] = longest;
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < expected.length || j < actual.length) {
    const both = i < expected.length && j < actual.length;
    if (both && expected[i] === actual[j]) {
      lines.push(`  ${expected[i++]}`);
      j += 1;
    } else if (j === actual.length || (both && at(i + 1, j) >= at(i, j + 1))) lines.push(`- ${expected[i++]}`);
    else lines.push(`+ ${actual[j++]}`);
  }
  return lines;
}
