/**
 * An `AbortController` that makes its signal at the first use: most handlers do not use it, and a signal costs more
 * than most other parts of a job.
 */
export class LazyAbortController {
  /** Called when the controller fires, before the listeners of the signal. */
  onAbort: ((reason: Error) => void) | undefined;
  #reason: Error | undefined;
  #controller: AbortController | undefined;
  #over = false;

  /** The reason of the first `abort`; undefined before. */
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

  /** Fires once: later calls, and calls after `over`, do nothing. */
  abort(reason: Error): void {
    if (this.#reason || this.#over) return;
    this.#reason = reason;
    this.onAbort?.(reason);
    this.#controller?.abort(reason);
  }

  /** From now on the controller does not fire, and frees its callbacks. */
  over(): void {
    this.#over = true;
    this.onAbort = undefined;
  }
}
