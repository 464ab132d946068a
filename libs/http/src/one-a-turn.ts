/**
 * Lets what holds the event loop for milliseconds happen once in a turn of the loop, in the order of the calls. So a crowd that
 * wants the same at once keeps others waiting for no longer than a single one does.
 */
export function createOneATurn(): (act: () => void) => void {
  const waiting: (() => void)[] = [];

  function next(): void {
    const act = waiting[0] as () => void;
    try {
      act();
    } finally {
      waiting.shift();
      if (waiting.length > 0) setImmediate(next); // in the next turn
    }
  }

  return (act) => {
    if (waiting.push(act) === 1) setImmediate(next);
  };
}
