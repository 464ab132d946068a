import { setTimer } from '@offload/process';

/**
 * How long an answer may take, in milliseconds: a job and its queues must be shown at once even with a deep backlog.
 */
const PATIENCE_MS = 15;
/** After a late answer, the question rests for so many times the duration of that answer. */
const REST = 10;

/** Answers a question if the answer comes soon, and otherwise with a substitute. */
export type InTime = <Value>(ask: () => Promise<Value>, otherwise: () => Value) => Promise<Value>;

/**
 * Makes an `InTime` for one kind of question. Callers never wait long, and questions do not pile up: while an answer is
 * late, and for some time after it, the question is not asked again.
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
    asked.catch(() => undefined); // a later question rejects if the fault stays
    return otherwise();
  };
}
