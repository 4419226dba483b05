/** Prometheus metrics and log lines of relays and partitions, by stream or table. */
import type { RelayHooks } from '@onepool/platform-messaging';
import type { PartitionKeeperOptions } from '@onepool/platform-postgres';
import type { Logger, Metrics } from '@onepool/platform-telemetry';

export function relayMetrics(metrics: Metrics, logger: Logger): (stream: string) => RelayHooks {
  const published = metrics.counter('onepool_relay_published_total', 'Facts acknowledged by JetStream', ['stream']);
  const rewinds = metrics.counter('onepool_relay_rewinds_total', 'Losses of the stream, a partition each', [
    'stream',
    'reason',
  ]);
  const backlog = metrics.gauge('onepool_relay_backlog_rows', 'Facts waiting in the outbox', ['stream']);
  const lag = metrics.gauge('onepool_relay_lag_seconds', 'Age of the oldest fact waiting', ['stream']);
  const alarm = metrics.gauge('onepool_relay_backlog_alarm', '1 while the backlog is above its limit', ['stream']);
  const partitions = metrics.gauge('onepool_relay_partitions', 'Outbox partitions this replica relays', ['stream']);
  return (stream) => ({
    onPublished: (count) => published.inc({ stream }, count),
    onBacklog: (state) => {
      backlog.set({ stream }, state.rows);
      lag.set({ stream }, state.lagSeconds);
      alarm.set({ stream }, state.alarm ? 1 : 0);
    },
    onOwnership: (owned) => partitions.set({ stream }, owned.length),
    onRewind: (rewind) => {
      rewinds.inc({ stream, reason: rewind.reason });
      logger.warn({ stream, rewind }, 'the stream lost facts; publishing them again');
    },
    onWarnings: (warnings) => {
      if (warnings.length > 0) logger.warn({ stream, warnings }, 'the stream is not as it should be');
      else logger.info({ stream }, 'the stream is as it should be again');
    },
    onError: (error) => logger.warn({ stream, err: error }, 'relay: a turn failed; it goes on'),
  });
}

type PartitionHooks = Pick<PartitionKeeperOptions, 'onState' | 'onWarnings'>;

export function partitionMetrics(metrics: Metrics, logger: Logger): (schema: string) => PartitionHooks {
  const daysAhead = metrics.gauge('onepool_partition_days_ahead', 'Days for which partitions are made, 365 at most', [
    'schema',
    'table',
  ]);
  const fallen = metrics.gauge('onepool_partition_fallen', '1 while rows lie in the default partition', [
    'schema',
    'table',
  ]);
  return (schema) => ({
    onState: (states) => {
      for (const { table, ...state } of states) {
        daysAhead.set({ schema, table }, state.daysAhead);
        fallen.set({ schema, table }, state.hasFallen ? 1 : 0);
      }
    },
    onWarnings: (warnings) => {
      if (warnings.length > 0) logger.warn({ schema, warnings }, 'partitions are not as they should be');
      else logger.info({ schema }, 'partitions are as they should be again');
    },
  });
}
