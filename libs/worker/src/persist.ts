import { DatabaseUnavailableError } from '@offload/database';
import { BrokerUnavailableError } from '@offload/messaging';
import { setTimer } from '@offload/process';

const LONGEST_WAIT_MS = 2_000;

/**
 * Repeats an operation, with full jitter, while database or broker are away. Use it for steps that must succeed before
 * a delivery is acknowledged. Stops when one of the signals fires, for example because the delivery is lost. Tries at
 * least once.
 *
 * @param operation gets the number of the try, from 1
 * @param onRetry called once, with the error before the first retry
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
