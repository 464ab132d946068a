import type { EventName, Job, JobEvent, Ring } from '@offload/contracts';
import type { Database, OwedRing } from '@offload/database';
import { topology, type Publisher } from '@offload/messaging';
import { Counter, type Logger, type Registry } from '@offload/runtime';

/** Tells workers and watchers about jobs. Neither call rejects: what is not sent stays owed in the outbox. */
export interface Bell {
  /** Sends the ring, and removes it from the outbox once the broker has confirmed it. */
  ring(owed: OwedRing): Promise<void>;
  /** Sends the job as an event, at most once: who needs to be sure reads the row. */
  announce(job: Job): Promise<void>;
}

export function createBell(parts: { database: Database; publisher: Publisher; metrics: Registry; log: Logger }): Bell {
  const { database, publisher, metrics, log } = parts;
  const rings = new Counter({
    name: 'offload_rings_total',
    help: 'Rings by what became of them: confirmed, or still owed',
    labelNames: ['outcome'],
    registers: [metrics],
  });

  async function announce(job: Job): Promise<void> {
    const event: EventName = `job.${job.status}`;
    const body: JobEvent = { event, job };
    try {
      await publisher.publish({ exchange: topology.events, type: event, body, mandatory: false });
    } catch (error) {
      log.debug({ err: error, jobId: job.id }, 'event not sent');
    }
  }

  return {
    announce,
    async ring({ outboxId, jobId, type, queue, priority }) {
      const body: Ring = { jobId, type };
      try {
        // The message id, which is the ring id, is a new one each time: a doubled ring must never look like the one that a
        // worker holds.
        await publisher.publish({
          exchange: topology.jobs,
          routingKey: queue,
          type: 'ring',
          body,
          priority,
        });
        const queued = await database.confirmRing(outboxId);
        rings.inc({ outcome: 'confirmed' });
        if (queued) await announce(queued);
      } catch (error) {
        rings.inc({ outcome: 'owed' });
        log.debug({ err: error, jobId }, 'ring still owed');
      }
    },
  };
}
