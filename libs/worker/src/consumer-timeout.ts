import { MAX_TIMEOUT_MS } from '@offload/jobs/definitions';

/**
 * What to warn of when the broker has closed a channel because a delivery was out for too long. No client can ask a
 * broker for its `consumer_timeout`: up to RabbitMQ 4.2 the reason of such a close is the only place where it stands.
 *
 * @param reason the broker's
 * @returns null when the reason names no timeout, or one that leaves time for every job
 */
export function consumerTimeoutFault(reason: string): string | null {
  const used = /Timeout value used: (\d+) ms/.exec(reason)?.[1];
  if (used === undefined || Number(used) > MAX_TIMEOUT_MS) return null;
  return (
    `the broker's consumer_timeout is ${used} ms, but a job may take ${MAX_TIMEOUT_MS} ms: ` +
    'a job that takes longer than the former loses its delivery each time. Raise consumer_timeout.'
  );
}
