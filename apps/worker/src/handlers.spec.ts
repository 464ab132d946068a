import { expect, it } from '@jest/globals';
import { jobTypes } from '@offload/jobs/job-types';
import { closeHandlers, findHandler, typesElsewhere } from './handlers.ts';
import { THREADS } from './handlers/csv.profile.pool.ts';
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

it('claims no more profiles than there are threads for them', async () => {
  const slots = findHandler('csv.profile')?.slots;
  const taken = await Promise.all(Array.from({ length: THREADS + 1 }, () => slots?.take(0, [])));
  expect(taken.map((slot) => slot === null)).toEqual([...Array<boolean>(THREADS).fill(false), true]);
  for (const slot of taken) slot?.release();
});

it('knows the types whose own queue is another', () => {
  expect(typesElsewhere(['mail', 'default'])).toEqual([]);
  expect(typesElsewhere(['mail'])).toEqual(expect.arrayContaining(['demo.sleep', 'csv.profile']));
});

it('closes what is open, and what was never opened', async () => {
  await expect(closeHandlers()).resolves.toBeUndefined();
  await expect(closeHandlers()).resolves.toBeUndefined();
});
