/** The engine and everything that works beside it on the same stock: memory, housekeeping, retention, feeds. */
import { type Logger, currentTrace, traceparentOf } from '@onepool/platform-telemetry';
import { Housekeeping, Retention, StockEngine, StockFeeds, StockMemory } from '@onepool/stock-data-access';
import { type AvailabilityConfig, PARTITION_COUNT, SCHEMA } from './config.ts';
import type { EngineMetrics } from './engine-metrics.ts';

export interface StockServices {
  readonly engine: StockEngine;
  readonly memory: StockMemory;
  readonly feeds: StockFeeds;
  /** Starts what runs by itself. */
  start(): void;
  /** Stops what runs by itself; commands are still taken. */
  stop(): Promise<void>;
  /** Lets what was taken finish and closes every connection. */
  close(): Promise<void>;
}

export function createStockServices(
  config: AvailabilityConfig,
  logger: Logger,
  observed: EngineMetrics,
  onCommitted: () => void,
): StockServices {
  const warn = (message: string) => (error: unknown) => logger.warn({ err: error }, message);
  const onConnectionError = warn('database connection lost');
  const shared = {
    url: config.DATABASE_URL,
    schema: SCHEMA,
    partitionCount: PARTITION_COUNT,
    onCommitted,
    onConnectionError,
  };
  const engine = new StockEngine({
    ...shared,
    name: config.ONEPOOL_INSTANCE,
    lanes: config.ONEPOOL_LANES,
    deadlineMs: config.ONEPOOL_DEADLINE_MS,
    idleInTransactionTimeoutMs: config.ONEPOOL_LOCKS_IDLE_MS,
    hooks: observed.lane,
    traceOf: currentTraceparent,
  });
  observed.watch(engine);
  const memory = new StockMemory({
    pool: engine.readPool,
    session: engine.lookupPool,
    schema: SCHEMA,
    rules: engine.rules,
    onError: warn('memory of stock lost; reads go to the database meanwhile'),
  });
  const housekeeping = new Housekeeping(engine, { onError: warn('housekeeping failed; it goes on') });
  const retention = new Retention({
    pool: engine.auditPool,
    schema: SCHEMA,
    outboxDays: config.ONEPOOL_OUTBOX_DAYS,
    commandDays: config.ONEPOOL_COMMAND_DAYS,
    onDone: (forgotten) => logger.info({ forgotten }, 'retention: old rows are gone'),
    onError: warn('retention failed; it is tried again'),
  });
  const feeds = new StockFeeds({
    ...shared,
    isBusy: () => engine.isBusy,
    onError: warn('applying a feed failed; it is taken up again'),
  });
  return {
    engine,
    memory,
    feeds,
    start: () => {
      housekeeping.start();
      retention.start();
      feeds.worker.start();
      memory.start();
    },
    stop: async () => {
      await housekeeping.stop();
      await retention.stop();
      await memory.stop();
    },
    close: async () => {
      await feeds.close();
      await engine.close();
    },
  };
}

/** The W3C traceparent of the request under way, for the facts that it causes. */
function currentTraceparent(): string | null {
  const trace = currentTrace();
  return trace ? traceparentOf(trace) : null;
}
