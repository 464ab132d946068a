import { expect, it } from '@jest/globals';
import { jobTypes } from '@offload/jobs/job-types';
import { closeHandlers, runnableTypes } from './handlers.ts';
import { THREADS } from './handlers/csv.profile.pool.ts';
import * as registry from './handlers/index.ts';

const find = (wanted: string) => runnableTypes.find(({ definition: { type } }) => type === wanted);

it('ties every definition to its handler', () => {
  for (const type of jobTypes) {
    const [first = '', second = ''] = type.split('.');
    const name = `${first}${second.charAt(0).toUpperCase()}${second.slice(1)}` as keyof typeof registry;
    expect(find(type)?.handler).toBe(registry[name]);
  }
  expect(Object.keys(registry)).toHaveLength(jobTypes.length);
});

it('claims no more profiles than there are threads for them', async () => {
  const slots = find('csv.profile')?.slots;
  const taken = await Promise.all(Array.from({ length: THREADS + 1 }, () => slots?.take(0, [])));
  expect(taken.map((slot) => slot === null)).toEqual([...Array<boolean>(THREADS).fill(false), true]);
  for (const slot of taken) slot?.release();
});

it('closes open connections, and connections that were never opened', async () => {
  await expect(closeHandlers()).resolves.toBeUndefined();
  await expect(closeHandlers()).resolves.toBeUndefined();
});
