/**
 * Counts what is under way and tells when nothing is.
 *
 * A number and no set. When things pass through a `Set` or `Map` that lives long, V8 makes it a new table again and again, and
 * each old one points to the next: as soon as one is in the old generation, all that was ever in them stays until the next
 * full collection.
 */
export class UnderWay {
  #count = 0;
  #idle: (() => void)[] = [];

  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  /** Resolves when nothing is under way: at once, if so. */
  async none(): Promise<void> {
    while (this.#count > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }
}
