import { expect, it } from '@jest/globals';
import { DatabaseUnavailableError } from '@offload/database';
import { BrokerUnavailableError } from '@offload/messaging';
import { persist } from './persist.ts';

const held = new AbortController().signal;
const ignore = (): void => undefined;

it('tries until database and broker are back', async () => {
  const away = [new DatabaseUnavailableError(), new BrokerUnavailableError('away')];
  const tries: number[] = [];
  const told: string[] = [];
  const outcome = await persist(
    async (tryNumber) => {
      tries.push(tryNumber);
      const error = away.shift();
      if (error) throw error;
      return 'done';
    },
    [held],
    (error) => void told.push(error.name),
  );
  expect({ outcome, tries, told }).toEqual({ outcome: 'done', tries: [1, 2, 3], told: ['DatabaseUnavailableError'] });
});

it('does not repeat an operation that failed for another reason', async () => {
  let tries = 0;
  const operation = async (): Promise<void> => {
    tries += 1;
    throw new TypeError('a bug');
  };
  await expect(persist(operation, [held], ignore)).rejects.toThrow('a bug');
  expect(tries).toBe(1);
});

it('stops when the delivery is lost, but not before one try', async () => {
  const lost = new AbortController();
  lost.abort(new Error('channel lost'));
  let tries = 0;
  const operation = async (): Promise<void> => {
    tries += 1;
    throw new DatabaseUnavailableError();
  };
  await expect(persist(operation, [held, lost.signal], ignore)).rejects.toThrow('channel lost');
  expect(tries).toBe(1);
});
