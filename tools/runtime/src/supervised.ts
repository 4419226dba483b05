import { setTimeout as delay } from 'node:timers/promises';
import { HEALTHY_AFTER_MS, restartDelayMs } from './restart-policy.ts';

/** A process that runs, and how to end it. */
export interface Started {
  readonly pid: number;
  /** Resolves when the process ends, whoever ended it. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

/** How to start a process, as often as it ends. */
export interface Service {
  readonly name: string;
  start(): Promise<Started>;
}

export type Report = (message: string) => void;

/** Keeps one process running: when it ends, or does not start, it is started again after the policy's delay. */
export class Supervised {
  readonly name: string;
  readonly #service: Service;
  readonly #report: Report;
  readonly #stopping = new AbortController();
  #current: Started;
  #ends = 0;
  /** Why it does not start, as last told: a reason that stays the same for hours is told once. */
  #told = '';
  #watching: Promise<void> = Promise.resolve();

  private constructor(service: Service, first: Started, report: Report) {
    this.name = service.name;
    this.#service = service;
    this.#current = first;
    this.#report = report;
  }

  /** Starts the process and watches it from now on. @throws what the first start throws; nothing is watched then. */
  static async start(service: Service, report: Report): Promise<Supervised> {
    const supervised = new Supervised(service, await service.start(), report);
    supervised.#watching = supervised.#watch();
    return supervised;
  }

  get pid(): number {
    return this.#current.pid;
  }

  /** How often the process has ended by itself. */
  get ends(): number {
    return this.#ends;
  }

  /** Ends the process and the watch over it. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#current.stop();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    let quickEnds = 0;
    let since = Date.now();
    while (!this.#stopping.signal.aborted) {
      await this.#current.exited;
      if (this.#stopping.signal.aborted) return;
      this.#ends += 1;
      quickEnds = Date.now() - since >= HEALTHY_AFTER_MS ? 0 : quickEnds;
      const ended = this.#current.pid;
      while (!(await this.#startAgain(restartDelayMs(quickEnds++), ended)));
      since = Date.now();
    }
  }

  /** True when the process runs again, or must not run any more. */
  async #startAgain(delayMs: number, ended: number): Promise<boolean> {
    const { signal } = this.#stopping;
    await delay(delayMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return true;
    try {
      this.#current = await this.#service.start();
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#told) this.#report(`${this.name} does not start, which is tried again: ${message}`);
      this.#told = message;
      return false;
    }
    this.#told = '';
    this.#report(`${this.name} (process ${ended}) ended; process ${this.#current.pid} has taken its place`);
    // Stopping may have begun while the process was being started.
    if (signal.aborted) await this.#current.stop();
    return true;
  }
}
