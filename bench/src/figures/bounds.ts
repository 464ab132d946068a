import type { KindId } from './kinds.ts';

/** A bound of a figure of Offload, with the result. */
export interface Judged {
  what: string;
  measured: number;
  bound: number;
  /** Whether the figure must be `at least` or `at most` the bound. */
  sense: 'least' | 'most';
  /** Whether the bound is kept; undefined without a measurement. */
  kept: boolean | undefined;
  digits: number;
}

/** The median of a figure of a system; NaN without a measurement. */
export type Median = (kind: KindId, system: string) => number;

/** What `judge` needs. */
export interface BoundParts {
  median: Median;
  /** The names of the compared systems. */
  names: Record<'offload' | 'express' | 'amqplib' | 'bullmqEverysec' | 'bullmqAlways' | 'pgBoss' | 'machine', string>;
  idealMakespanS: number;
  /** The names of Offload with each number of finished jobs, the empty table first. */
  grown: readonly string[];
}

/** Compares the figures with the bounds. */
export function judge({ median, names, idealMakespanS, grown }: BoundParts): Judged[] {
  const { offload, express, amqplib, bullmqEverysec, bullmqAlways, pgBoss, machine } = names;

  function than(kind: KindId, sense: Judged['sense'], factor: number, peer: string, what: string): Judged {
    return judged(what, median(kind, offload) / median(kind, peer), factor, sense);
  }
  const least = (kind: KindId, factor: number, peer: string, what: string) => than(kind, 'least', factor, peer, what);
  const most = (kind: KindId, peer: string, what: string) => than(kind, 'most', 1, peer, what);
  const times = (what: string, peer: string): string => `${what}, times that of ${peer}`;

  const [empty = '', ...larger] = grown;
  const growth = larger.flatMap((name) => {
    const ratio = (kind: KindId) => median(kind, name) / median(kind, empty);
    return [
      judged(`${name}: accepted a second, times that of an empty table`, ratio('grownAccepted'), 1 / 1.15, 'least'),
      judged(`${name}: jobs run a second, likewise`, ratio('grownRun'), 1 / 1.15, 'least'),
      judged(`${name}: median pick-up, likewise`, ratio('grownPickUpP50'), 1.15, 'most'),
    ];
  });
  const oneSyncOneConfirm = median('fsync', machine) + median('confirm', machine);

  return [
    least('accepted64', 1, bullmqEverysec, times('accepted a second at 64 connections', bullmqEverysec)),
    least('accepted64', 4, pgBoss, times('accepted a second at 64 connections', pgBoss)),
    least('accepted64', 0.45, express, times('accepted a second at 64 connections', express)),
    most('acceptedP99At64', bullmqEverysec, times('p99 at 64 connections', bullmqEverysec)),
    judged(
      'median at 1 connection, times one fsync and one confirm',
      median('acceptedP50At1', offload) / oneSyncOneConfirm,
      1.6,
      'most',
    ),
    least('run', 1, bullmqEverysec, times('no-op jobs a second', bullmqEverysec)),
    least('run', 0.5, amqplib, times('no-op jobs a second', amqplib)),
    than('pickUpP50', 'most', 2, amqplib, times('median pick-up', amqplib)),
    most('pickUpP99', bullmqAlways, times('p99 of the pick-up', bullmqAlways)),
    judged('makespan, times the ideal', median('makespan', offload) / idealMakespanS, 1.02, 'most', 3),
    most('cpuApi', bullmqEverysec, times('CPU of the api a job', bullmqEverysec)),
    most('cpuWorker', bullmqEverysec, times('CPU of the worker a job', bullmqEverysec)),
    most('memoryApi', bullmqEverysec, times('memory of the api', bullmqEverysec)),
    most('memoryWorker', bullmqEverysec, times('memory of the worker', bullmqEverysec)),
    ...growth,
  ];
}

function judged(what: string, measured: number, bound: number, sense: Judged['sense'], digits = 2): Judged {
  const kept = Number.isNaN(measured) ? undefined : sense === 'least' ? measured >= bound : measured <= bound;
  return { what, measured, bound, sense, kept, digits };
}
