import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { circumstances } from '../performance-page.ts';
import { drawBars } from './bars.ts';
import type { Judged } from './bounds.ts';
import type { Figures } from './figures.ts';
import { boundsTable, groupTables, ratioTable } from './tables.ts';

const plot = join(import.meta.dirname, '../../../docs/performance.svg');
const peers = ['express', 'amqplib', 'bullmq', 'ioredis', 'pg-boss', 'graphile-worker'];

/** What a report needs. */
export interface ReportParts {
  figures: Figures;
  judged: readonly Judged[];
  faults: readonly string[];
  /** The name of Offload in the figures. */
  offload: string;
  serverVersions: readonly string[];
}

/** Writes all measurements as Markdown. */
export function report({ figures, judged, faults, offload, serverVersions }: ReportParts): string {
  const missed = figures
    .missed()
    .map(([system, why]) => `- ${system} was not measured, or only in part: ${oneLine(why)}`);
  const wrong = faults.map((fault) => `- **${oneLine(fault)}**`);
  return [
    ...(wrong.length > 0 ? ['Errors of this run:', wrong.join('\n')] : []),
    ...(missed.length > 0 ? [missed.join('\n')] : []),
    boundsTable(judged),
    ...ratioTable(figures, offload),
    ...groupTables(figures),
    circumstances([...serverVersions, ...peerVersions()]),
  ].join('\n\n');
}

/** Draws docs/performance.svg. */
export async function writePlot(figures: Figures, offload: string): Promise<void> {
  const bars = (kind: 'accepted64' | 'run') =>
    figures.systemsWith([kind]).map((label) => ({ label, value: figures.median(kind, label), own: label === offload }));
  const charts = [
    { title: 'Jobs accepted over HTTP a second, 64 connections', bars: bars('accepted64') },
    { title: 'No-op jobs run a second by one worker process', bars: bars('run') },
  ];
  await writeFile(plot, drawBars(charts));
}

function peerVersions(): string[] {
  const require = createRequire(import.meta.url);
  return peers.map((name) => {
    const { version } = require(join(import.meta.dirname, '../../../node_modules', name, 'package.json')) as {
      version: string;
    };
    return `${name} ${version}`;
  });
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
