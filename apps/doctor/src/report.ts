import type { Examination, Finding } from './examine.ts';
import type { Look, RunningLook } from './look.ts';
import { counted, harmless, instant, span } from './wording.ts';

/** Most running jobs in the text. The JSON has all of them. */
const MOST_RUNNING = 10;

/** Names of the two servers, for people. */
export interface Places {
  database: string;
  broker: string;
}

/** The report as text: the figures on one screen, then findings and remedies. */
export function report(look: Look, examination: Examination, places: Places): string {
  return [
    `${instant(look.at)}  ${places.database}  ${places.broker}`,
    queueTable(look),
    overview(look),
    ...(look.running.length > 0 ? [runningTable(look.running)] : []),
    conclusion(examination),
  ].join('\n\n');
}

/** The report as JSON, for programs. */
export function reportJson(look: Look, examination: Examination, repaired: readonly string[] | null): string {
  const { at, queues, overdue, undispatched, running, deadLetters, notCalled } = look;
  const { findings, notes } = examination;
  const agrees = findings.length === 0;
  const counted = queues.map((queue) => ({ ...queue, lost: queue.lost.length }));
  const figures = {
    queues: counted,
    overdue,
    undispatched,
    deadLetters,
    livenessCheck: { failed: notCalled },
    running,
  };
  return JSON.stringify({ at, agrees, ...figures, findings, notes, ...(repaired && { repaired }) }, null, 2);
}

function queueTable({ queues }: Look): string {
  const head = ['queue', 'scheduled', 'pending', 'dispatched', 'messages waiting', 'consumers', 'running'];
  const rows = queues.map(({ queue, scheduled, pending, dispatched, running, broker }) =>
    [queue, scheduled, pending, dispatched, broker?.waiting ?? '-', broker?.consumers ?? '-', running].map(String),
  );
  return table([head, ...rows], (column) => column > 0);
}

function overview({ at, overdue, deadLetters, running }: Look): string {
  const since = new Date(at.getTime() - overdue.oldestMs);
  return [
    `overdue        ${overdue.count === 0 ? 'none' : `${overdue.count}, since ${instant(since)}`}`,
    `dead letters   ${deadLetters ?? '-'}`,
    `running        ${running.length === 0 ? 'none' : counted(running.length, 'job')}`,
  ].join('\n');
}

function runningTable(running: readonly RunningLook[]): string {
  const head = ['job', 'type', 'queue', 'attempt', 'holder', 'last heard of', 'liveness check'];
  const rows = running
    .slice(0, MOST_RUNNING)
    .map(({ id, type, queue, attempt, holder, silentMs, answered, cancelRequested }) => [
      id,
      type,
      queue,
      String(attempt),
      harmless(holder ?? '-'),
      `${span(silentMs)} ago`,
      `${answered === null ? '-' : answered ? 'answered' : 'NO ANSWER'}${cancelRequested ? ', to be cancelled' : ''}`,
    ]);
  const more = running.length - rows.length;
  return `${table([head, ...rows], (column) => column === 3)}${more > 0 ? `\nand ${more} more` : ''}`;
}

/** The findings and remedies as text. */
export function conclusion({ findings, notes }: Examination): string {
  const verdict =
    findings.length === 0
      ? 'Database and broker agree.'
      : ['What disagrees:', ...findings.map((finding, index) => `${index + 1}. ${sentence(finding)}`)].join('\n');
  return [verdict, ...notes.map((note) => `Note: ${note}`)].join('\n');
}

function sentence({ message, remedy }: Finding): string {
  return `${harmless(message)}\n   ${remedy}`;
}

/** Formats a table whose columns are as wide as needed, two spaces apart. */
function table(rows: readonly string[][], isNumber: (column: number) => boolean): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          isNumber(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
