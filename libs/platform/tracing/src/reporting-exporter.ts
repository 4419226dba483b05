import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node';
import { Throttle } from './throttle.ts';

/** Hooks for the log. They are called a few times a minute at most. */
export interface ExportHooks {
  /** Traces are not exported, for the reason given; nothing else suffers from it. */
  readonly onTrouble: (message: string) => void;
  /** They are exported again, after so many spans were lost. */
  readonly onMended?: (lostSpans: number) => void;
}

type Done = Parameters<SpanExporter['export']>[1];

/** ExportResultCode.SUCCESS of OpenTelemetry's core, which is not loaded for a number. */
const SUCCESS = 0;

/**
 * Tells of an exporter's failures in a line when they begin, another each minute while they last, and one when they end.
 * Its caller hears of none, for it would log every batch.
 */
export class ReportingExporter implements SpanExporter {
  readonly #exporter: SpanExporter;
  readonly #hooks: ExportHooks;
  readonly #throttle: Throttle;
  #lostSpans = 0;
  #isTold = false;

  constructor(exporter: SpanExporter, hooks: ExportHooks, throttle = new Throttle(1)) {
    this.#exporter = exporter;
    this.#hooks = hooks;
    this.#throttle = throttle;
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.#exporter.export(spans, ({ code, error }) => {
      if (code === SUCCESS) this.#exported();
      else this.#failed(spans.length, error);
      done({ code: SUCCESS });
    });
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown();
  }

  async forceFlush(): Promise<void> {
    await this.#exporter.forceFlush?.();
  }

  #failed(spans: number, error: Error | undefined): void {
    this.#lostSpans += spans;
    if (!this.#throttle.allows()) return;
    this.#isTold = true;
    const reason = error?.message || 'the collector did not take them';
    this.#hooks.onTrouble(`traces are not exported: ${reason} (${this.#lostSpans} spans lost so far)`);
  }

  #exported(): void {
    if (this.#isTold) this.#hooks.onMended?.(this.#lostSpans);
    this.#isTold = false;
    this.#lostSpans = 0;
  }
}
