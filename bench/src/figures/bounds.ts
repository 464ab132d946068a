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
  const relativeTo = (what: string, peer: string): string => `${what}, relative to ${peer}`;

  const [empty = '', ...larger] = grown;
  const growth = larger.flatMap((name) => {
    const ratio = (kind: KindId) => median(kind, name) / median(kind, empty);
    return [
      judged(`${name}: jobs accepted a second, relative to an empty table`, ratio('grownAccepted'), 1 / 1.15, 'least'),
      judged(`${name}: jobs run a second, relative to an empty table`, ratio('grownRun'), 1 / 1.15, 'least'),
      judged(`${name}: median pick-up, relative to an empty table`, ratio('grownPickUpP50'), 1.15, 'most'),
    ];
  });
  const oneSyncOneConfirm = median('fsync', machine) + median('confirm', machine);

  return [
    least('accepted64', 1, bullmqEverysec, relativeTo('jobs accepted a second at 64 connections', bullmqEverysec)),
    least('accepted64', 4, pgBoss, relativeTo('jobs accepted a second at 64 connections', pgBoss)),
    least('accepted64', 0.45, express, relativeTo('jobs accepted a second at 64 connections', express)),
    most('acceptedP99At64', bullmqEverysec, relativeTo('p99 at 64 connections', bullmqEverysec)),
    judged(
      'median at 1 connection, relative to one fsync and one confirm',
      median('acceptedP50At1', offload) / oneSyncOneConfirm,
      1.6,
      'most',
    ),
    least('run', 1, bullmqEverysec, relativeTo('no-op jobs a second', bullmqEverysec)),
    least('run', 0.5, amqplib, relativeTo('no-op jobs a second', amqplib)),
    than('pickUpP50', 'most', 2, amqplib, relativeTo('median pick-up', amqplib)),
    most('pickUpP99', bullmqAlways, relativeTo('p99 of the pick-up', bullmqAlways)),
    judged('makespan, relative to the ideal', median('makespan', offload) / idealMakespanS, 1.02, 'most', 3),
    most('cpuApi', bullmqEverysec, relativeTo('CPU of the api a job', bullmqEverysec)),
    most('cpuWorker', bullmqEverysec, relativeTo('CPU of the worker a job', bullmqEverysec)),
    most('memoryApi', bullmqEverysec, relativeTo('memory of the api', bullmqEverysec)),
    most('memoryWorker', bullmqEverysec, relativeTo('memory of the worker', bullmqEverysec)),
    ...growth,
  ];
}

function judged(what: string, measured: number, bound: number, sense: Judged['sense'], digits = 2): Judged {
  const kept = Number.isNaN(measured) ? undefined : sense === 'least' ? measured >= bound : measured <= bound;
  return { what, measured, bound, sense, kept, digits };
}
