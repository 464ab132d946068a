import { table } from '../performance-page.ts';
import type { Judged } from './bounds.ts';
import type { Figures } from './figures.ts';
import { kinds, type Kind, type KindId } from './kinds.ts';

interface Group {
  heading: string;
  kinds: readonly KindId[];
}

const groups: readonly Group[] = [
  {
    heading: 'Accepted over HTTP, one job a request',
    kinds: [
      ...(['accepted1', 'acceptedP50At1', 'acceptedP99At1'] as const),
      ...(['accepted64', 'acceptedP50At64', 'acceptedP99At64'] as const),
      ...(['accepted512', 'acceptedP50At512', 'acceptedP99At512'] as const),
    ],
  },
  {
    heading: 'From the end of the load until the outbox is empty',
    kinds: ['settledAfter1', 'settledAfter64', 'settledAfter512'],
  },
  { heading: 'In batches of 100, and jobs run by one worker process', kinds: ['batch', 'run'] },
  { heading: 'Pick-up: from the 202 to the handler, at 20 jobs a second', kinds: ['pickUpP50', 'pickUpP99'] },
  { heading: 'Least time for one job at a time', kinds: ['fsync', 'confirm'] },
  { heading: 'Makespan', kinds: ['makespan'] },
  {
    heading: 'CPU time for each job, by process',
    kinds: [
      ...(['cpuApi', 'cpuAcceptPostgres', 'cpuAcceptRabbitmq', 'cpuAcceptRedis'] as const),
      ...(['cpuWorker', 'cpuRunApi', 'cpuRunPostgres', 'cpuRunRabbitmq', 'cpuRunRedis'] as const),
    ],
  },
  { heading: 'Transactions in PostgreSQL', kinds: ['transactionsAccept', 'transactionsRun'] },
  { heading: 'Resident memory', kinds: ['memoryApiIdle', 'memoryApi', 'memoryWorkerIdle', 'memoryWorker'] },
  { heading: 'From the start of the process until it is ready', kinds: ['startApi', 'startWorker'] },
  { heading: 'While the table grows', kinds: ['grownAccepted', 'grownRun', 'grownPickUpP50', 'grownPickUpP99'] },
];

/** Tables of all measurements: one row for each system, with the median of the rounds, their least and their most. */
export function groupTables(figures: Figures): string[] {
  return groups.flatMap((group) => {
    const systems = figures.systemsWith(group.kinds);
    const columns = group.kinds.filter((kind) => systems.some((system) => hasFigure(figures, kind, system)));
    if (columns.length === 0) return [];
    const head = ['', ...columns.map((kind) => headOf(kinds[kind]))];
    const rows = systems.map((system) => [system, ...columns.map((kind) => cell(figures, kind, system))]);
    return [`### ${group.heading}`, table([head, ...rows])];
  });
}

const compared: readonly KindId[] = [
  ...(['accepted1', 'accepted64', 'accepted512', 'acceptedP99At64', 'batch', 'run', 'pickUpP50', 'pickUpP99'] as const),
  ...(['makespan', 'cpuApi', 'cpuWorker', 'memoryApi', 'memoryWorker', 'startApi', 'startWorker'] as const),
];

/** A table of Offload's medians divided by those of each peer. */
export function ratioTable(figures: Figures, offload: string): string[] {
  const peers = figures.systemsWith(compared).filter((system) => system !== offload);
  const rows = compared.flatMap((kind) => {
    const own = figures.median(kind, offload);
    const cells = peers.map((peer) => own / figures.median(kind, peer));
    if (!cells.some(Number.isFinite)) return [];
    const { title, better } = titled(kind);
    return [
      [`${title} (${better} is better)`, ...cells.map((ratio) => (Number.isFinite(ratio) ? ratio.toFixed(2) : ''))],
    ];
  });
  if (rows.length === 0) return [];
  return ['### Offload relative to each peer', table([['', ...peers], ...rows])];
}

/** A table of the bounds. */
export function boundsTable(judged: readonly Judged[]): string {
  const rows = judged.map(({ what, measured, bound, sense, kept, digits }) => [
    what,
    kept === undefined ? 'not measured' : measured.toFixed(digits),
    `at ${sense} ${bound.toFixed(digits)}`,
    kept === undefined ? '' : kept ? 'kept' : '**missed**',
  ]);
  return table([['figure', 'measured', 'bound', ''], ...rows]);
}

/** The kind with its subject, where the title alone says too little. */
function titled(kind: KindId): Kind {
  const of: Partial<Record<KindId, string>> = {
    ...{ acceptedP99At64: 'p99 at 64 connections', pickUpP50: 'pick-up, median', pickUpP99: 'pick-up, p99' },
    ...{ cpuApi: 'CPU of the api a job', cpuWorker: 'CPU of the worker a job', makespan: 'makespan' },
    ...{ memoryApi: 'memory of the api', memoryWorker: 'memory of the worker' },
    ...{ startApi: 'start of the api', startWorker: 'start of the worker' },
  };
  return { ...kinds[kind], title: of[kind] ?? kinds[kind].title };
}

function headOf({ title, unit }: Kind): string {
  return `${title}, ${unit}`;
}

function hasFigure(figures: Figures, kind: KindId, system: string): boolean {
  return figures.summary(kind, system).rounds > 0;
}

function cell(figures: Figures, kind: KindId, system: string): string {
  const { median, least, most, rounds } = figures.summary(kind, system);
  const { digits = 0 }: Kind = kinds[kind];
  const print = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  if (rounds === 0) return '';
  return rounds === 1 ? print(median) : `${print(median)} (${print(least)}..${print(most)})`;
}
