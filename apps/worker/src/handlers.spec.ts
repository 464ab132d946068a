import { expect, it } from '@jest/globals';
import { jobTypes } from '@offload/contracts';
import { closeHandlers, findHandler } from './handlers.ts';
import * as registry from './handlers/index.ts';

it('ties every definition to its handler', () => {
  for (const type of jobTypes) {
    const found = findHandler(type);
    const [first = '', second = ''] = type.split('.');
    const name = `${first}${second.charAt(0).toUpperCase()}${second.slice(1)}` as keyof typeof registry;
    expect(found?.definition.type).toBe(type);
    expect(found?.handler).toBe(registry[name]);
  }
  expect(Object.keys(registry)).toHaveLength(jobTypes.length);
});

it.each(['', 'demo', 'demoSleep', '__proto__', 'constructor'])('knows no type "%s"', (type) => {
  expect(findHandler(type)).toBeUndefined();
});

it('closes what was never opened', async () => {
  await expect(closeHandlers()).resolves.toBeUndefined();
});
