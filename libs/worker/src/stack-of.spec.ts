import { expect, it } from '@jest/globals';
import { stackOf } from './stack-of.ts';

function failedToOpen(): Error {
  return new Error('no such file');
}

const lines = (text: string): string[] => text.split('\n').filter((line) => !/^\s+at /.test(line));

it('shows where an error was thrown, and where its causes were', () => {
  const stack = stackOf(new TypeError('can not resize', { cause: new Error('no image', { cause: failedToOpen() }) }));
  expect(lines(stack)).toEqual([
    'TypeError: can not resize',
    'Caused by: Error: no image',
    'Caused by: Error: no such file',
  ]);
  expect(stack).toMatch(/at failedToOpen .*stack-of\.spec\.ts/);
});

it('shows the errors in an AggregateError', () => {
  const stack = stackOf(new AggregateError([new Error('one'), new Error('other')], 'all failed'));
  expect(lines(stack)).toEqual([
    'AggregateError: all failed',
    'Together with: Error: one',
    'Together with: Error: other',
  ]);
});

it.each([
  ['text', 'out of luck', "'out of luck'"],
  ['nothing', undefined, 'undefined'],
  ['null', null, 'null'],
  ['a symbol', Symbol('odd'), 'Symbol(odd)'],
  ['an object', { code: 'E_ODD', details: { a: 1 } }, "{ code: 'E_ODD', details: { a: 1 } }"],
  ['one without a stack', Object.assign(new Error('bare'), { stack: undefined }), /^(Error|\[Error): bare/],
])('tells what was thrown that has no stack: %s', (_what, thrown, text) => {
  expect(stackOf(thrown)).toEqual(typeof text === 'string' ? text : expect.stringMatching(text));
});

it('ends when causes lead back, or on and on', () => {
  const one = new Error('one');
  one.cause = new Error('other', { cause: one });
  expect(lines(stackOf(one))).toEqual(['Error: one', 'Caused by: Error: other', 'Caused by: one that stands above']);
  const endless = (): object => ({
    stack: 'again',
    get cause() {
      return endless();
    },
  });
  expect(lines(stackOf(endless()))).toHaveLength(8);
});

it('accepts values whose members throw', () => {
  const trap = () => {
    throw new Error('not to be looked at');
  };
  const hostile = new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap });
  for (const thrown of [hostile, new AggregateError([hostile], 'some'), new Error('outer', { cause: hostile })]) {
    expect(typeof stackOf(thrown)).toBe('string');
  }
  expect(lines(stackOf(Object.defineProperty(new Error('outer'), 'cause', { get: trap })))).toEqual(['Error: outer']);
});

it('is no longer than 8 KiB, with the causes, and can be stored', () => {
  const huge = new Error('x'.repeat(1_000_000), { cause: new Error('the cause\0\ud800') });
  const stack = stackOf(huge);
  expect(stack.length).toBeLessThanOrEqual(8 * 1024);
  expect(stack).toContain('Caused by: Error: the cause\ufffd\ufffd');
  expect(stackOf(new AggregateError(Array.from({ length: 100_000 }, () => huge), 'many')).length).toBeLessThanOrEqual(8 * 1024); // prettier-ignore
});
