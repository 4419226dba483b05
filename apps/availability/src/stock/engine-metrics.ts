/** Prometheus metrics of the engine, the relay and the partitions. */
import type { RelayHooks } from '@onepool/platform-messaging';
import type { PartitionKeeperOptions } from '@onepool/platform-postgres';
import type { Logger, Metrics } from '@onepool/platform-telemetry';
import type { LaneHooks, StockEngine } from '@onepool/stock-data-access';

const COMMANDS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

export interface EngineMetrics {
  readonly lane: LaneHooks;
  readonly relay: RelayHooks;
  readonly partitions: Pick<PartitionKeeperOptions, 'onState' | 'onWarnings'>;
  watch(engine: StockEngine): void;
}

export function engineMetrics(metrics: Metrics, logger: Logger): EngineMetrics {
  const batchSize = metrics.histogram('onepool_batch_commands', 'Commands in one commit', [], COMMANDS);
  const batchSeconds = metrics.histogram('onepool_batch_seconds', 'Time from lock to commit of one batch');
  const retries = metrics.counter('onepool_batch_retries_total', 'Batches sent again or split, by what was done', [
    'step',
  ]);
  const decided = metrics.counter('onepool_batches_total', 'Batches by how they were decided: optimistic or locked', [
    'how',
  ]);
  const chained = metrics.counter('onepool_batches_chained_total', 'Batches sent that rest on another under way');
  const published = metrics.counter('onepool_relay_published_total', 'Facts acknowledged by JetStream');
  const rewinds = metrics.counter('onepool_relay_rewinds_total', 'Losses of the stream, a partition each', ['reason']);
  const backlog = metrics.gauge('onepool_relay_backlog_rows', 'Facts waiting in the outbox');
  const lag = metrics.gauge('onepool_relay_lag_seconds', 'Age of the oldest fact waiting');
  const alarm = metrics.gauge('onepool_relay_backlog_alarm', '1 while the backlog is above its limit');
  const partitions = metrics.gauge('onepool_relay_partitions', 'Outbox partitions this replica relays');
  return {
    lane: {
      onBatch: (commands, durationMs) => {
        batchSize.observe(commands);
        batchSeconds.observe(durationMs / 1_000);
      },
      onRetry: (step) => retries.inc({ step }),
      onDecided: (how) => decided.inc({ how }),
      onChained: () => chained.inc(),
    },
    relay: {
      onPublished: (count) => published.inc(count),
      onBacklog: (state) => {
        backlog.set(state.rows);
        lag.set(state.lagSeconds);
        alarm.set(state.alarm ? 1 : 0);
      },
      onOwnership: (owned) => partitions.set(owned.length),
      onRewind: (rewind) => {
        rewinds.inc({ reason: rewind.reason });
        logger.warn({ rewind }, 'the stream lost facts; publishing them again');
      },
      onUnprotected: () => logger.warn('the stream of facts can be purged: the server does not let us forbid it'),
      onError: (error) => logger.warn({ err: error }, 'relay: a turn failed; it goes on'),
    },
    partitions: partitionHooks(metrics, logger),
    watch: (engine) => {
      metrics.gauge('onepool_queue_depth', 'Commands waiting for a lane', [], (gauge) => gauge.set(engine.queueDepth));
    },
  };
}

function partitionHooks(metrics: Metrics, logger: Logger): EngineMetrics['partitions'] {
  const daysAhead = metrics.gauge('onepool_partition_days_ahead', 'Days for which partitions are made, 365 at most', [
    'table',
  ]);
  const fallen = metrics.gauge('onepool_partition_fallen', '1 while rows lie in the default partition', ['table']);
  return {
    onState: (states) => {
      for (const { table, ...state } of states) {
        daysAhead.set({ table }, state.daysAhead);
        fallen.set({ table }, state.hasFallen ? 1 : 0);
      }
    },
    onWarnings: (warnings) => {
      if (warnings.length > 0) logger.warn({ warnings }, 'partitions are not as they should be');
      else logger.info('partitions are as they should be again');
    },
  };
}
