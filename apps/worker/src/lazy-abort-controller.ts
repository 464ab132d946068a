/**
 * An `AbortController` that makes its signal when somebody asks for it: most handlers don't, and one for each job is a tenth
 * of what the worker does for it.
 */
export class LazyAbortController {
  /** What is done when it fires, before the signal's own listeners. */
  onAbort: ((reason: Error) => void) | undefined;
  #reason: Error | undefined;
  #controller: AbortController | undefined;

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

  /** The first time counts. */
  abort(reason: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.onAbort?.(reason);
    this.#controller?.abort(reason);
  }
}
