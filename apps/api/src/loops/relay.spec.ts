import { expect, it } from '@jest/globals';
import type { OwedRing } from '@offload/database';
import { createLogger } from '@offload/process';
import { eventually } from '@offload/spec-kit';
import { startRelay } from './relay.ts';

const log = createLogger('api', { level: 'silent', instance: 'spec' });
const ringOf = (queue: string, n: number): OwedRing => ({
  outboxId: `${queue} ${n}`,
  jobId: 'job',
  type: 'a',
  queue,
  priority: 0,
  traceparent: null,
});
const ringsOf = (queue: string, from: number, count: number) =>
  Array.from({ length: count }, (_, n) => ringOf(queue, from + n));

/** A relay whose rounds find these rings, and whose queue `slow` never settles a ring. */
async function relayed(rounds: OwedRing[][], { isSilent }: { isSilent: boolean }) {
  const rung: string[] = [];
  const putOff: { ids: readonly string[]; ms: number }[] = [];
  const left = [...rounds];
  const loop = startRelay({
    database: {
      rings: {
        takeOwed: async () => left.shift() ?? [],
        putOff: async (ids, ms) => void putOff.push({ ids, ms }),
        msUntilNext: async () => null,
      },
    },
    bell: {
      ring({ outboxId, queue }) {
        rung.push(outboxId);
        return queue === 'slow' ? new Promise(() => undefined) : Promise.resolve();
      },
      isSilent: (queue) => isSilent && queue === 'slow',
    },
    broker: { state: 'open' },
    log,
  });
  await eventually(() => expect(left.length).toBe(0));
  await loop.stop();
  return { rung, putOff };
}

it('rings for other queues while one has not settled its rings, and leaves those of that one to a later round', async () => {
  const rounds = [1, 2].map((n) => [ringOf('slow', n), ringOf('default', n)]);
  const { rung, putOff } = await relayed(rounds, { isSilent: false });
  expect([rung, putOff]).toEqual([['slow 1', 'default 1', 'default 2'], []]);
});

it('puts the rings of a silent queue off, each longer than the one before it, but for less than a minute', async () => {
  const rounds = [[ringOf('slow', 1)], ...Array.from({ length: 200 }, (_, n) => ringsOf('slow', n * 500, 500))];
  const { rung, putOff } = await relayed([...rounds, [ringOf('default', 1)]], { isSilent: true });
  expect(rung).toEqual(['slow 1', 'default 1']);
  expect(putOff.map(({ ids }) => ids.length)).toEqual(rounds.slice(1).map(() => 500));
  const times = putOff.map(({ ms }) => ms);
  expect(times[0]).toBeGreaterThanOrEqual(5_000);
  expect(times[20]).toBeGreaterThan(times[0] as number);
  expect(Math.max(...times)).toBeLessThan(60_000);
});
