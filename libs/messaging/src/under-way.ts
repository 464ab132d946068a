/**
 * Counts running operations, and resolves when none runs.
 *
 * It is a counter, because a long-lived `Set` with much traffic keeps removed entries in memory. V8 replaces its table
 * again and again, and old tables stay until the next full collection.
 * @example
 * ```ts
 * underWay.begin();
 * await work().finally(() => underWay.end());
 * ```
 */
export class UnderWay {
  #count = 0;
  #idle: (() => void)[] = [];

  /** Counts one operation that begins. */
  begin(): void {
    this.#count += 1;
  }

  /** Counts one operation that has ended. Call it exactly once for each `begin`. */
  end(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when no operation runs: at once, if none runs now. */
  async none(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
