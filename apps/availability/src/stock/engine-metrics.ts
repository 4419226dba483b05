/** Prometheus metrics of the engine. */
import type { Metrics } from '@onepool/platform-telemetry';
import type { EngineHooks, StockEngine } from '@onepool/stock-data-access';

const COMMANDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

export interface EngineMetrics {
  readonly hooks: EngineHooks;
  watch(engine: StockEngine): void;
}

export function engineMetrics(metrics: Metrics): EngineMetrics {
  const batchSize = metrics.histogram('onepool_batch_commands', 'Commands in one commit', [], COMMANDS);
  const batchSeconds = metrics.histogram('onepool_batch_seconds', 'Time from lock to commit of one batch');
  const retries = metrics.counter('onepool_batch_retries_total', 'Batches sent again or split, by what was done', [
    'step',
  ]);
  const decided = metrics.counter('onepool_batches_total', 'Batches by how they were decided: optimistic or locked', [
    'how',
  ]);
  const chained = metrics.counter('onepool_batches_chained_total', 'Batches sent that rest on another under way');
  return {
    hooks: {
      onBatch: (commands, durationMs) => {
        batchSize.observe(commands);
        batchSeconds.observe(durationMs / 1_000);
      },
      onRetry: (step) => retries.inc({ step }),
      onDecided: (how) => decided.inc({ how }),
      onChained: () => chained.inc(),
    },
    watch: (engine) => {
      metrics.gauge('onepool_queue_depth', 'Commands that wait to be committed', [], (gauge) =>
        gauge.set(engine.queueDepth),
      );
    },
  };
}
