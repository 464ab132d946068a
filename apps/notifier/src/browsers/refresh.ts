import { setTimeout as delay } from 'node:timers/promises';
import { eventOf } from '@offload/contracts';
import type { Database } from '@offload/database';
import type { Logger } from '@offload/runtime';
import type { Hub } from './hub.ts';

/**
 * After a time in which events may have been missed, reads every watched job once and publishes it as it is now; who
 * has seen that version already ignores it. Tries until the database answers.
 */
export async function refreshWatched(parts: { database: Database; hub: Hub; log: Logger }): Promise<void> {
  const { database, hub, log } = parts;
  for (;;) {
    try {
      await Promise.all(
        hub.watchedJobs().map(async (id) => {
          const job = await database.getJob(id);
          if (job) hub.publish(eventOf(job));
        }),
      );
      return;
    } catch (error) {
      log.warn({ err: error }, 'watched jobs not refreshed; trying again');
      await delay(1_000, undefined, { ref: false });
    }
  }
}
