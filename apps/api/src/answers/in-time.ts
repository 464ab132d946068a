import { setTimer } from '@offload/process';

/** A job and its queues are shown in milliseconds, however deep a backlog is. */
const PATIENCE_MS = 15;
/** After a late answer the question is not asked again for so many times as long as it took. */
const REST = 10;

/** Answers with what is asked for if that comes soon, and otherwise with something else that is at hand. */
export type InTime = <Value>(ask: () => Promise<Value>, otherwise: () => Value) => Promise<Value>;

/**
 * For one kind of question, so that those who ask never wait for long, nor pile up: while an answer is late, and for
 * some time after that, the question is not asked again.
 */
export function createInTime({ patienceMs = PATIENCE_MS, now = () => performance.now() } = {}): InTime {
  let restsUntil = -Infinity;

  return async (ask, otherwise) => {
    const began = now();
    if (began < restsUntil) return otherwise();
    let late = false;
    const asked = ask().finally(() => {
      if (late) restsUntil = now() + REST * (now() - began);
    });
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'late'>((resolve) => (timer = setTimer(() => resolve('late'), patienceMs)));
    const first = await Promise.race([asked.then((value) => ({ value })), patience]).finally(() => clearTimeout(timer));
    if (first !== 'late') return first.value;
    late = true;
    restsUntil = Infinity;
    asked.catch(() => undefined); // the next one who asks is told
    return otherwise();
  };
}
