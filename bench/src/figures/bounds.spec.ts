import { expect, it } from '@jest/globals';
import { judge, type BoundParts, type Median } from './bounds.ts';
import type { KindId } from './kinds.ts';

const names = {
  ...{
    offload: 'Offload',
    express: 'Express',
    amqplib: 'amqplib',
    bullmqEverysec: 'BullMQ',
    bullmqAlways: 'BullMQ always',
  },
  ...{ pgBoss: 'pg-boss', machine: 'machine' },
};

function judgeWith(median: Median, grown: string[] = []) {
  return judge({ names, idealMakespanS: 5, grown, median } satisfies BoundParts);
}

/** Medians that are all 10, except for those given. */
function tens(own: Partial<Record<KindId, number>>): Median {
  return (kind, system) => (system === 'Offload' ? (own[kind] ?? 10) : 10);
}

function found(judged: ReturnType<typeof judge>, text: string) {
  return judged.find(({ what }) => what.includes(text));
}

it('keeps a bound that is met to the point', () => {
  expect(found(judgeWith(tens({ run: 10 })), 'no-op jobs a second, relative to BullMQ')).toMatchObject({
    ...{ measured: 1, bound: 1, sense: 'least', kept: true },
  });
});

it('misses a bound in either direction', () => {
  const judged = judgeWith(tens({ run: 9.9, memoryApi: 10.1 }));
  expect(found(judged, 'no-op jobs a second, relative to BullMQ')?.kept).toBe(false);
  expect(found(judged, 'memory of the api')?.kept).toBe(false);
});

it('leaves a bound open without a measurement', () => {
  const judged = judgeWith(() => NaN, ['0', '1']);
  expect(new Set(judged.map(({ kept }) => kept))).toEqual(new Set([undefined]));
});

it('compares one connection with one fsync and one confirm', () => {
  const median: Median = (kind) => ({ fsync: 1, confirm: 2, acceptedP50At1: 6 })[kind as string] ?? NaN;
  expect(found(judgeWith(median), 'one fsync')).toMatchObject({ measured: 2, bound: 1.6, kept: false });
});

it('compares each grown table with the empty one', () => {
  const medians: Record<string, number> = { none: 100, some: 90, many: 80 };
  const judged = judgeWith(
    (kind, system) => (kind === 'grownRun' ? (medians[system] ?? NaN) : NaN),
    ['none', 'some', 'many'],
  );
  expect(found(judged, 'some: jobs run')).toMatchObject({ measured: 0.9, kept: true });
  expect(found(judged, 'many: jobs run')).toMatchObject({ measured: 0.8, kept: false });
});
