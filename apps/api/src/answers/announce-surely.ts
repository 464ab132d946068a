import { Problem } from '@offload/http';
import type { SerializedJob } from '@offload/jobs';
import type { Dispatcher } from '../dispatcher.ts';

/**
 * Sends the job as an event, and resolves when the broker has it.
 *
 * @throws Problem 503 `broker-unavailable`: the request is to be sent again
 */
export async function announceSurely(
  dispatcher: Pick<Dispatcher, 'announceSurely'>,
  serialized: SerializedJob,
): Promise<void> {
  try {
    await dispatcher.announceSurely(serialized);
  } catch (error) {
    const detail = 'It is stored, and its event is not confirmed: send this request again';
    throw new Problem(503, 'broker-unavailable', 'RabbitMQ is away', detail, {
      headers: { 'Retry-After': '1' },
      cause: error,
    });
  }
}
