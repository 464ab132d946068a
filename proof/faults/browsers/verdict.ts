import { isDeepStrictEqual } from 'node:util';
import { isFinished } from '@offload/jobs';
import { failureLine } from '../failure-line.ts';
import type { FinalRow } from '../final-rows.ts';
import type { Watched } from './audience.ts';

/** Finds what went wrong. @returns one line for each kind of failure, with its jobs */
export function judge(watched: readonly Watched[], rows: readonly FinalRow[]): string[] {
  const rowOf = new Map(rows.map((row) => [row.id, row]));
  const tell = (seen: Watched): string =>
    `${seen.jobId} (row: ${rowOf.get(seen.jobId)?.status} ${rowOf.get(seen.jobId)?.version}, ` +
    `browser: ${seen.job?.status} ${seen.versions.join(' ')}, ${JSON.stringify(seen.closed)}, ${seen.reconnects} reconnects)`;
  const fail = (what: string, found: readonly Watched[]): string[] => failureLine(what, found.map(tell));
  const ended = watched.filter(({ closed }) => closed);

  return [
    ...failureLine(
      'jobs not finished',
      rows.filter(({ status }) => !isFinished(status)).map(({ id, status }) => `${id} (${status})`),
    ),
    ...fail(
      'jobs without a row',
      watched.filter(({ jobId }) => !rowOf.has(jobId)),
    ),
    ...fail(
      'browsers still waiting',
      watched.filter(({ closed }) => !closed),
    ),
    ...fail(
      'browsers that were refused',
      ended.filter(({ closed }) => closed?.how === 'refused'),
    ),
    ...fail(
      'browsers that ended without the final event',
      ended.filter(({ closed, job }) => closed?.how !== 'refused' && !(job && isFinished(job.status))),
    ),
    ...fail(
      'browsers with another final status than the row',
      ended.filter(({ jobId, job, event, lastEventId }) => {
        const row = rowOf.get(jobId);
        if (!job || !row || !isFinished(job.status)) return false;
        const told = [job.status, job.version, job.result, job.error, event, lastEventId];
        const wanted = [row.status, row.version, row.result, row.error, `job.${row.status}`, String(row.version)];
        return !isDeepStrictEqual(told, wanted);
      }),
    ),
    ...fail(
      'browsers whose versions did not grow',
      watched.filter(({ versions }) => versions.some((version, at) => at > 0 && version <= (versions[at - 1] ?? 0))),
    ),
  ];
}
