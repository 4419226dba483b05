/** A wait that can be cut short, also by a call that came just before it. */
export class WakeUp {
  #pending = false;
  #release: (() => void) | undefined;

  wake(): void {
    this.#pending = true;
    this.#release?.();
  }

  /** Resolves after `ms`, or at once if `wake` was called since the last wait ended. */
  async wait(ms: number): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#release = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#pending = false;
    this.#release = undefined;
  }
}
