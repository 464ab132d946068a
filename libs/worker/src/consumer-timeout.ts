import { MAX_TIMEOUT_MS } from '@offload/jobs/definitions';

/**
 * Makes the warning for a channel that the broker has closed because a delivery stayed unacknowledged too long. No
 * client can ask a broker for its `consumer_timeout`: up to RabbitMQ 4.2 only the reason of such a close has it.
 *
 * @param reason the broker's reason
 * @returns null if the reason has no timeout, or a timeout that is long enough for every job
 */
export function consumerTimeoutFault(reason: string): string | null {
  const used = /Timeout value used: (\d+) ms/.exec(reason)?.[1];
  if (used === undefined || Number(used) > MAX_TIMEOUT_MS) return null;
  return (
    `the broker's consumer_timeout is ${used} ms, but a job may take ${MAX_TIMEOUT_MS} ms: ` +
    'a job that takes longer than the former loses its delivery each time. Raise consumer_timeout.'
  );
}
