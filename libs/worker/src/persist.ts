import { DatabaseUnavailableError } from '@offload/database';
import { BrokerUnavailableError } from '@offload/messaging';
import { setTimer } from '@offload/process';

const LONGEST_WAIT_MS = 2_000;

/**
 * Does what must be done while we hold a delivery, however long database or broker are away: tries again with full
 * jitter until it works, or until one of the signals fires: the delivery is lost, say. It is tried at least once.
 *
 * @param operation is given the number of the try, from 1
 * @param onRetry told once, of the first error that is waited out
 * @throws the reason of the signal that fired, and any other error of the operation at once
 */
export async function persist<T>(
  operation: (tryNumber: number) => Promise<T>,
  until: readonly AbortSignal[],
  onRetry: (error: Error) => void,
): Promise<T> {
  for (let tryNumber = 1; ; tryNumber += 1) {
    try {
      return await operation(tryNumber);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError || error instanceof BrokerUnavailableError)) throw error;
      if (tryNumber === 1) onRetry(error);
    }
    await pause(Math.random() * Math.min(LONGEST_WAIT_MS, 50 * 2 ** tryNumber), until);
    for (const signal of until) signal.throwIfAborted();
  }
}

function pause(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimer(done, ms);
    for (const signal of signals) signal.addEventListener('abort', done);
  });
}
