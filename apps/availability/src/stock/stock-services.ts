/** The engine and everything that works beside it on the same stock: memory, housekeeping, retention, feeds. */
import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { Relays } from '@onepool/platform-app';
import type { Logger } from '@onepool/platform-telemetry';
import { Housekeeping, Retention, StockEngine, StockFeeds, StockMemory } from '@onepool/stock-data-access';
import { type AvailabilityConfig, PARTITION_COUNT, SCHEMA } from '../config.ts';
import type { EngineMetrics } from './engine-metrics.ts';

export class StockServices implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly engine: StockEngine;
  readonly memory: StockMemory;
  readonly feeds: StockFeeds;
  readonly #housekeeping: Housekeeping;
  readonly #retention: Retention;

  constructor(config: AvailabilityConfig, logger: Logger, observed: EngineMetrics, relays: Relays) {
    const warn = (message: string) => (error: unknown) => logger.warn({ err: error }, message);
    const shared = {
      url: config.DATABASE_URL,
      schema: SCHEMA,
      partitionCount: PARTITION_COUNT,
      onCommitted: () => relays.nudge(SCHEMA),
      onConnectionError: warn('database connection lost'),
    };
    const engine = new StockEngine({
      ...shared,
      name: config.ONEPOOL_INSTANCE,
      queues: config.ONEPOOL_COMMIT_QUEUES,
      deadlineMs: config.ONEPOOL_DEADLINE_MS,
      idleInTransactionTimeoutMs: config.ONEPOOL_LOCKS_IDLE_MS,
      shortHours: config.ONEPOOL_SHORT_HOURS,
      hooks: observed.hooks,
      onDeferred: () => this.#housekeeping.nudge(),
    });
    observed.watch(engine);
    this.engine = engine;
    this.memory = new StockMemory({
      pool: engine.readPool,
      session: engine.lookupPool,
      schema: SCHEMA,
      rules: engine.rules,
      onError: warn('memory of stock lost; reads go to the database meanwhile'),
    });
    this.#housekeeping = new Housekeeping(engine, { onError: warn('housekeeping failed; it goes on') });
    this.#retention = new Retention({
      pool: engine.auditPool,
      schema: SCHEMA,
      commandDays: config.ONEPOOL_COMMAND_DAYS,
      feedDays: config.ONEPOOL_FEED_DAYS,
      onDone: (commands) => logger.info({ commands }, 'retention: old effects of commands are gone'),
      onError: warn('retention failed; it is tried again'),
    });
    this.feeds = new StockFeeds({
      ...shared,
      isBusy: () => engine.isBusy,
      guard: {
        zeroedPercent: config.ONEPOOL_FEED_GUARD_ZEROED_PERCENT,
        minRows: config.ONEPOOL_FEED_GUARD_MIN_ROWS,
      },
      onError: warn('applying a feed failed; it is taken up again'),
    });
  }

  /** Starts what runs by itself. */
  onApplicationBootstrap(): void {
    this.#housekeeping.start();
    this.#retention.start();
    this.feeds.worker.start();
    this.memory.start();
  }

  /** Stops what runs by itself; commands are still taken. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#housekeeping.stop();
    await this.#retention.stop();
    await this.memory.stop();
  }

  /** Lets what was taken finish and closes every connection. */
  async onApplicationShutdown(): Promise<void> {
    await this.feeds.close();
    await this.engine.close();
  }
}
