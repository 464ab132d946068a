import { expect, it } from '@jest/globals';
import { compareDispatches, type QueuedJobs } from './compare-dispatches.ts';

/** One look: what is counted before and behind it, and what the broker says in between. */
interface Seen {
  before: Partial<QueuedJobs>;
  after?: Partial<QueuedJobs>;
  broker: { ready: number; consumers: number } | null;
}

/** How many dispatch messages are lost by two looks. */
async function lostBy(one: Seen, other: Seen): Promise<number> {
  const look = ({ before, after = before, broker }: Seen, earlier: Parameters<typeof compareDispatches>[2] = null) => {
    const counts = [before, after];
    const count = async () => {
      const next = counts.shift() as Partial<QueuedJobs>;
      return { at: 1, dispatched: 0, queued: next.dispatched ?? 0, remaining: next.dispatched ?? 0, ...next };
    };
    return compareDispatches(count, async () => broker, earlier);
  };
  const first = await look(one);
  expect(first.lost).toBe(0);
  return (await look(other, first)).lost;
}

const calm = { before: { dispatched: 5 }, broker: { ready: 2, consumers: 1 } };

it('takes for lost what is missing at both looks, where no job has left', async () => {
  expect(await lostBy(calm, calm)).toBe(3);
  expect(await lostBy(calm, { ...calm, broker: { ready: 4, consumers: 1 } })).toBe(1);
  expect(await lostBy({ ...calm, broker: { ready: 5, consumers: 1 } }, calm)).toBe(0);
});

it('takes nothing for lost that is between queue and claim while a backlog is worked off', async () => {
  const draining = (dispatched: number, inFlight: number) => ({
    before: { dispatched: dispatched + 50 },
    after: { dispatched, remaining: dispatched },
    broker: { ready: dispatched - inFlight, consumers: 1 },
  });
  expect(await lostBy(draining(1_000_000, 100), draining(982_000, 100))).toBe(0);
  expect(await lostBy(draining(1_000_000, 100), draining(999_800, 100))).toBe(0);
});

it('finds what was lost while others come and go, since those that waited have left', async () => {
  // 40 are lost; 3 more waited at the first look, and 5 others do at the second.
  const first = { before: { dispatched: 43 }, broker: { ready: 2, consumers: 1 } };
  const second = { before: { dispatched: 45, remaining: 40 }, broker: { ready: 4, consumers: 1 } };
  expect(await lostBy(first, second)).toBe(38);
});

it('finds them all as soon as nothing else waits', async () => {
  const empty = { before: { dispatched: 40 }, broker: { ready: 0, consumers: 1 } };
  expect(await lostBy(empty, empty)).toBe(40);
});

it('takes a job whose dispatch message was sent between the looks for none that has left', async () => {
  const first = { before: { dispatched: 100, queued: 10_100 }, broker: { ready: 50, consumers: 1 } };
  const second = {
    before: { dispatched: 9_800, queued: 9_800, remaining: 9_800 },
    broker: { ready: 9_700, consumers: 1 },
  };
  expect(await lostBy(first, second)).toBe(0);
});

it('does not believe that a queue is empty which jobs have left, or whose dispatch messages were confirmed, since the first look', async () => {
  const busy = { ready: 0, consumers: 0 };
  const first = { before: { dispatched: 1_000 }, broker: busy };
  expect(await lostBy(first, { before: { dispatched: 900, remaining: 900 }, broker: busy })).toBe(0);
  expect(await lostBy(first, { before: { dispatched: 1_100, remaining: 1_000 }, broker: busy })).toBe(0);
  expect(await lostBy(first, { before: { dispatched: 1_000 }, broker: busy })).toBe(1_000);
});

it('takes all for lost where the broker has no such queue', async () => {
  const gone = { before: { dispatched: 7 }, broker: null };
  expect(await lostBy(gone, gone)).toBe(7);
});
