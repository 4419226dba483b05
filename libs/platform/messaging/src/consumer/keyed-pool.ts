/**
 * Runs tasks at most `size` at a time; tasks of one key run one after the other, in the order they were added.
 */
export class KeyedPool {
  readonly #running = new Set<Promise<void>>();
  readonly #tails = new Map<string, Promise<void>>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** Resolves when the task has been taken in, which waits while the pool is full. The task must not throw. */
  async add(key: string, task: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#size) await Promise.race(this.#running);
    const running = (this.#tails.get(key) ?? Promise.resolve()).then(task).finally(() => {
      this.#running.delete(running);
      if (this.#tails.get(key) === running) this.#tails.delete(key);
    });
    this.#running.add(running);
    this.#tails.set(key, running);
  }

  /** Resolves when nothing runs any more. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
