/**
 * What every schema needs done by itself, in every replica, one of which does it at a time: partitions made ahead, old days
 * of the outbox dropped, and old rows of the inbox and ended tasks forgotten. On a pool of its own.
 */
import { Recurring } from '@onepool/platform-clock';
import { dropOutboxDays, pruneInbox } from '@onepool/platform-messaging';
import { PartitionKeeper, underSessionLock } from '@onepool/platform-postgres';
import type { Logger, Metrics } from '@onepool/platform-telemetry';
import type pg from 'pg';
import type { AppSchema } from './app-definition.ts';
import type { ConnectionBudget } from './connection-budget.ts';
import { partitionMetrics } from './relay-metrics.ts';

export interface HousekeepingOptions {
  readonly schemas: readonly AppSchema[];
  readonly connections: ConnectionBudget;
  readonly outboxDays: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** The inbox remembers for longer than the outbox of others keeps, else what is published again would take effect twice. */
const INBOX_EXTRA_DAYS = 3;
const FIRST_AFTER_MS = 300_000;
const INTERVAL_MS = 3_600_000;

export class SchemaHousekeeping {
  readonly #pool: pg.Pool;
  readonly #keepers: ReadonlyMap<string, PartitionKeeper>;
  readonly #forgetting: Recurring;
  readonly #options: HousekeepingOptions;
  readonly #schemas: readonly string[];

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    const { schemas, connections, logger, metrics } = options;
    this.#schemas = schemas.filter(({ outbox }) => outbox !== undefined).map(({ schema }) => schema);
    this.#pool = connections.pool('housekeeping', 2, { statementTimeoutMs: 30_000 });
    const hooksOf = partitionMetrics(metrics, logger);
    const keeperOf = (schema: string): PartitionKeeper => {
      const onError = (error: unknown): void =>
        logger.warn({ schema, err: error }, 'partitions could not be made; it is tried again');
      return new PartitionKeeper({ pool: this.#pool, schema, ...hooksOf(schema), onError });
    };
    this.#keepers = new Map(this.#schemas.map((schema) => [schema, keeperOf(schema)]));
    this.#forgetting = new Recurring({
      work: () => this.forget(),
      firstAfterMs: FIRST_AFTER_MS,
      intervalMs: INTERVAL_MS,
      onError: (error) => logger.warn({ err: error }, 'what is old could not be forgotten; it is tried again'),
    });
  }

  /** What an operator should know, as of the last look. */
  get warnings(): readonly string[] {
    return [...this.#keepers].flatMap(([schema, { warnings }]) => warnings.map((warning) => `${schema}: ${warning}`));
  }

  start(): void {
    for (const keeper of this.#keepers.values()) keeper.start();
    this.#forgetting.start();
  }

  /** One look at the partitions of every schema, which makes those that are missing. */
  async makePartitions(): Promise<void> {
    for (const keeper of this.#keepers.values()) await keeper.once();
  }

  /** One pass over everything that is old. */
  async forget(): Promise<void> {
    for (const schema of this.#schemas) {
      await underSessionLock(this.#pool, `${schema}.housekeeping`, (client) => this.#forgetIn(schema, client));
    }
  }

  async #forgetIn(schema: string, client: pg.PoolClient): Promise<void> {
    const { outboxDays: days, logger } = this.#options;
    const { signal } = this.#forgetting;
    const gone = await dropOutboxDays({ pool: client, schema, days, signal });
    const received = await pruneInbox({ pool: client, schema, days: days + INBOX_EXTRA_DAYS, signal });
    logger.info({ schema, days: gone, received }, 'housekeeping: what is old is gone');
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#keepers.values()].map((keeper) => keeper.stop()));
    await this.#forgetting.stop();
    await this.#pool.end();
  }
}
