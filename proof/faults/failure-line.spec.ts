import { expect, it } from '@jest/globals';
import { failureLine } from './failure-line.ts';
import { warningsIn } from './warnings.ts';

it('says nothing of nothing, and names the first five of many', () => {
  expect(failureLine('wrong', [])).toEqual([]);
  expect(failureLine('wrong', [...'abcdefg'])).toEqual(['7 wrong: a, b, c, d, e and 2 more']);
});

it('finds what Node.js complained of in the output of processes', () => {
  const leak = '(node:7) MaxListenersExceededWarning: 11 listeners\n(Use `node --trace-warnings ...`)\n';
  const outputs = new Map([
    ['api-1', `{"msg":"ready"}\n${leak}${leak}`],
    ['worker-1', '{"msg":"(node:7) no Warning: here"}\n'],
    ['notifier-1', leak.replace('7', '8')],
  ]);
  expect(warningsIn(outputs)).toEqual(['MaxListenersExceededWarning: 11 listeners (api-1, notifier-1)']);
});
