import { expect, it } from '@jest/globals';
import type { PendingDispatch } from '@offload/database';
import { createLogger } from '@offload/process';
import { eventually } from '@offload/spec-kit';
import { startRelay } from './relay.ts';

const log = createLogger('api', { level: 'silent', instance: 'spec' });
const dispatchOf = (queue: string, n: number): PendingDispatch => ({
  outboxId: `${queue} ${n}`,
  jobId: 'job',
  type: 'a',
  queue,
  priority: 0,
  traceparent: null,
});
const dispatchesOf = (queue: string, from: number, count: number) =>
  Array.from({ length: count }, (_, n) => dispatchOf(queue, from + n));

/** A relay whose rounds find these dispatch messages, and whose queue `slow` never settles a dispatch message. */
async function relayed(rounds: PendingDispatch[][], { isSilent }: { isSilent: boolean }) {
  const dispatched: string[] = [];
  const putOff: { ids: readonly string[]; ms: number }[] = [];
  const left = [...rounds];
  const loop = startRelay({
    database: {
      outbox: {
        takeDue: async () => left.shift() ?? [],
        putOff: async (ids, ms) => void putOff.push({ ids, ms }),
        msUntilNext: async () => null,
      },
    },
    dispatcher: {
      dispatch({ outboxId, queue }) {
        dispatched.push(outboxId);
        return queue === 'slow' ? new Promise(() => undefined) : Promise.resolve();
      },
      isSilent: (queue) => isSilent && queue === 'slow',
    },
    broker: { state: 'open' },
    log,
  });
  await eventually(() => expect(left.length).toBe(0));
  await loop.stop();
  return { dispatched, putOff };
}

it('dispatches for other queues while one has not settled its dispatch messages, and leaves those of that one to a later round', async () => {
  const rounds = [1, 2].map((n) => [dispatchOf('slow', n), dispatchOf('default', n)]);
  const { dispatched, putOff } = await relayed(rounds, { isSilent: false });
  expect([dispatched, putOff]).toEqual([['slow 1', 'default 1', 'default 2'], []]);
});

it('puts the dispatch messages of a silent queue off, each longer than the one before it, but for less than a minute', async () => {
  const rounds = [
    [dispatchOf('slow', 1)],
    ...Array.from({ length: 200 }, (_, n) => dispatchesOf('slow', n * 500, 500)),
  ];
  const { dispatched, putOff } = await relayed([...rounds, [dispatchOf('default', 1)]], { isSilent: true });
  expect(dispatched).toEqual(['slow 1', 'default 1']);
  expect(putOff.map(({ ids }) => ids.length)).toEqual(rounds.slice(1).map(() => 500));
  const times = putOff.map(({ ms }) => ms);
  expect(times[0]).toBeGreaterThanOrEqual(5_000);
  expect(times[20]).toBeGreaterThan(times[0] as number);
  expect(Math.max(...times)).toBeLessThan(60_000);
});
