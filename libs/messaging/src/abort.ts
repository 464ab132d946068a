const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls the listener when the signal fires. All listeners of one signal share a single event listener, because Node.js
 * warns of a leak at eleven.
 *
 * @returns a function that removes the listener
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let all = listeners.get(signal);
  if (!all) {
    const created = new Set<() => void>();
    all = created;
    listeners.set(signal, created);
    signal.addEventListener('abort', () => created.forEach((each) => each()), { once: true });
  }
  all.add(listener);
  return () => void all.delete(listener);
}
