/**
 * Prometheus metrics of one process, with the process's own (CPU, memory, the event loop's delays and utilization) among
 * them.
 */
import { performance } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  counter<Label extends string>(name: string, help: string, labels?: readonly Label[]): Counter<Label>;
  /** `collect` is called at each scrape, to set the present value. */
  gauge<Label extends string>(
    name: string,
    help: string,
    labels?: readonly Label[],
    collect?: (gauge: Gauge<Label>) => void | Promise<void>,
  ): Gauge<Label>;
  /** Buckets in the metric's unit; seconds from 1 ms to 10 s unless said otherwise. */
  histogram<Label extends string>(
    name: string,
    help: string,
    labels?: readonly Label[],
    buckets?: readonly number[],
  ): Histogram<Label>;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Makes a registry of its own, so that several apps (or specs) in one process do not meet. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  addEventLoopUtilization(registry);
  return {
    registry,
    counter: (name, help, labels = []) => new Counter({ name, help, labelNames: labels, registers }),
    gauge: (name, help, labels = [], collect) =>
      new Gauge({
        name,
        help,
        labelNames: labels,
        registers,
        ...(collect && {
          collect() {
            return collect(this);
          },
        }),
      }),
    histogram: (name, help, labels = [], buckets = SECONDS) =>
      new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers }),
  };
}

/** The longest delay since the last collection is among prom-client's own: `nodejs_eventloop_lag_max_seconds`. */
function addEventLoopUtilization(registry: Registry): void {
  let since = performance.eventLoopUtilization();
  const help = 'Share of the time since the last collection in which the event loop was at work, 0 to 1.';
  new Gauge({
    name: 'nodejs_eventloop_utilization',
    help,
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, since).utilization);
      since = now;
    },
  });
}

/** Observes durations under three labels, finding each combination's series once and not at every request. */
export class DurationObserver<A extends string, B extends string> {
  readonly #seriesByKey = new Map<string, { observe(value: number): void }>();
  readonly #histogram: Histogram<A | B | 'status'>;

  constructor(histogram: Histogram<A | B | 'status'>) {
    this.#histogram = histogram;
  }

  /** Label values in the order in which the histogram names them. They must come from a bounded set. */
  observe(first: string, second: string, status: string, durationSeconds: number): void {
    const key = `${first} ${second} ${status}`;
    let series = this.#seriesByKey.get(key);
    if (!series) {
      series = this.#histogram.labels(first, second, status);
      this.#seriesByKey.set(key, series);
    }
    series.observe(durationSeconds);
  }
}
