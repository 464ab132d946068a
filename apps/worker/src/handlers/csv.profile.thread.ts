import { createOutbound } from '@offload/outbound';
import { answerTasks, PermanentError, RetryAfterError, stackOf } from '@offload/worker';
import type { ProfileAnswer, ProfileTask } from './csv.profile.pool.ts';
import { profileCsv } from './csv.profile.records.ts';
import { describeRequest, outboundFailure, statusFailure } from './http-failure.ts';

/** Longest CSV to download, in decompressed bytes (64 MiB). */
const MAX_CSV_BYTES = 64 * 1_024 * 1_024;

/** Longest download, in milliseconds (5 minutes); then the job is retried. */
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000;

/** Runs one task. Never rejects; see {@link ProfileAnswer}. */
async function run(task: ProfileTask): Promise<ProfileAnswer> {
  try {
    const profile =
      task.url === undefined
        ? await profileCsv(chunks(task.csv ?? ''), { separator: task.separator })
        : await download(task, task.url);
    return { outcome: 'profile', profile };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof RetryAfterError) {
      return { outcome: 'retry-after', message, stack: stackOf(error), retryAfterMs: error.retryAfterMs };
    }
    return { outcome: error instanceof PermanentError ? 'permanent' : 'retry', message, stack: stackOf(error) };
  }
}

async function* chunks(csv: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(csv);
}

/** Any 2xx but 206: a part of the file would make a wrong profile. */
function isWhole(status: number): boolean {
  return status >= 200 && status < 300 && status !== 206;
}

async function download({ allowPrivateTargets, separator }: ProfileTask, url: string) {
  const outbound = createOutbound({ allowPrivateTargets });
  const request = {
    url,
    headers: { accept: 'text/csv, */*;q=0.5', 'accept-encoding': 'gzip, br' },
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
    maxBytes: MAX_CSV_BYTES,
  };
  try {
    return await outbound.request(request, ({ status, headers, body }) => {
      if (!isWhole(status)) {
        throw statusFailure(describeRequest('GET', url), status, headers);
      }
      return profileCsv(body, { separator });
    });
  } catch (error) {
    throw outboundFailure(error);
  } finally {
    await outbound.close();
  }
}

answerTasks(run);
