export interface RecurringOptions {
  readonly work: () => Promise<unknown>;
  /** Mean pause before the first run and between runs, in milliseconds. */
  readonly firstAfterMs: number;
  readonly intervalMs: number;
  readonly onError?: ((error: unknown) => void) | undefined;
  /** In [0, 1); spreads replicas over time. */
  readonly random?: (() => number) | undefined;
}

/** Work that comes round by itself, one run after the other; it keeps no program alive. */
export class Recurring {
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();
  readonly #options: RecurringOptions;

  constructor(options: RecurringOptions) {
    this.#options = options;
  }

  /** Aborted when it is told to stop, for work that can end early. */
  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  start(): void {
    this.#schedule(this.#options.firstAfterMs);
  }

  /** Waits for the run under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#running;
  }

  #schedule(meanMs: number): void {
    if (this.#stopping.signal.aborted) return;
    const jitter = 0.5 + (this.#options.random ?? Math.random)();
    this.#timer = setTimeout(() => this.#run(), meanMs * jitter).unref();
  }

  #run(): void {
    this.#running = this.#options
      .work()
      .then(
        () => undefined,
        (error: unknown) => this.#options.onError?.(error),
      )
      .then(() => this.#schedule(this.#options.intervalMs));
  }
}
