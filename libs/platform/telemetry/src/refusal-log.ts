import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

const INTERVAL_SECONDS = 10;

/** Runs something once, later. */
export type Later = (run: () => void) => void;

const counterOf = (metrics: Metrics) =>
  metrics.counter('rpc_refused_total', 'Messages that were refused before they were read', ['code']);

const afterInterval: Later = (run) => void setTimeout(run, INTERVAL_SECONDS * 1_000).unref();

/**
 * Counts what was refused before it was worth a line of the log: each in a metric, and all of an interval in one line. So
 * a flood tells that it is there, and costs two additions a message.
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #counter: ReturnType<typeof counterOf>;
  /** The metric's series by code, found once and not for every message. */
  readonly #seriesByCode = new Map<string, { inc(): void }>();
  readonly #later: Later;
  #countByCode = new Map<string, number>();

  constructor(logger: Logger, metrics: Metrics, later: Later = afterInterval) {
    this.#logger = logger;
    this.#counter = counterOf(metrics);
    this.#later = later;
  }

  /** Counts one, by a code of a bounded set. */
  count(code: string): void {
    const series = this.#seriesByCode.get(code) ?? this.#counter.labels(code);
    this.#seriesByCode.set(code, series);
    series.inc();
    if (this.#countByCode.size === 0) this.#later(() => this.#tell());
    this.#countByCode.set(code, (this.#countByCode.get(code) ?? 0) + 1);
  }

  #tell(): void {
    const refused = Object.fromEntries(this.#countByCode);
    this.#countByCode = new Map();
    this.#logger.warn({ refused, intervalSeconds: INTERVAL_SECONDS }, 'messages refused');
  }
}
