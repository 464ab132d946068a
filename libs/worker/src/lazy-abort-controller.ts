/**
 * An `AbortController` that makes its signal when somebody asks for it: most handlers don't, and a signal is one of the dearest
 * things that a worker makes for a job.
 */
export class LazyAbortController {
  /** What is done when it fires, before the signal's own listeners. */
  onAbort: ((reason: Error) => void) | undefined;
  #reason: Error | undefined;
  #controller: AbortController | undefined;
  #over = false;

  /** The first reason; undefined while it has not fired. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The first time counts, unless it is over. */
  abort(reason: Error): void {
    if (this.#reason || this.#over) return;
    this.#reason = reason;
    this.onAbort?.(reason);
    this.#controller?.abort(reason);
  }

  /** From now on it does not fire, and keeps nothing of what was to be done then in memory. */
  over(): void {
    this.#over = true;
    this.onAbort = undefined;
  }
}
