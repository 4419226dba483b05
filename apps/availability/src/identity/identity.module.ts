/** Who may call: keys and persons, remembered and forgotten in time. */
import { type BeforeApplicationShutdown, Module, type OnApplicationShutdown } from '@nestjs/common';
import { PostgresIdentity } from '@onepool/identity-data-access';
import { IdentityCache } from '@onepool/platform-auth';
import { createPool } from '@onepool/platform-postgres';
import type { Logger, Metrics } from '@onepool/platform-telemetry';
import type pg from 'pg';
import { type AvailabilityConfig, IDENTITY_SCHEMA } from '../config.ts';
import { CONFIG, LOGGER, METRICS } from '../surroundings.ts';

const USE_NOTED_EVERY_MS = 600_000;

/** The identity of this replica, on connections of its own: what else the database has to do keeps no revoked key alive. */
export class IdentityService implements BeforeApplicationShutdown, OnApplicationShutdown {
  readonly cache: IdentityCache;
  readonly #pool: pg.Pool;
  readonly #source: PostgresIdentity;
  readonly #noting: NodeJS.Timeout;
  readonly #warn: (error: unknown) => void;

  constructor(config: AvailabilityConfig, logger: Logger, metrics: Metrics) {
    this.#warn = (error) => logger.warn({ err: error }, 'the identity cannot be read; who is known stays good for now');
    this.#pool = createPool({
      url: config.DATABASE_URL,
      max: 2,
      schema: IDENTITY_SCHEMA,
      applicationName: `${config.ONEPOOL_INSTANCE}-identity`,
      statementTimeoutMs: 2_000,
      lockTimeoutMs: 2_000,
      idleInTransactionTimeoutMs: 5_000,
      connectTimeoutMs: 2_000,
      onConnectionError: this.#warn,
    });
    this.#source = new PostgresIdentity({ pool: this.#pool, schema: IDENTITY_SCHEMA, onError: this.#warn });
    this.cache = new IdentityCache(this.#source);
    this.cache.start();
    const help = 'Since the rights in memory were known to be the present ones';
    metrics.gauge('onepool_identity_age_seconds', help, [], (gauge) => gauge.set(this.cache.ageMs / 1_000));
    this.#noting = setInterval(() => void this.#noteUse(), USE_NOTED_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#noting);
    await this.#noteUse();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.cache.stop();
    await this.#pool.end();
  }

  async #noteUse(): Promise<void> {
    await this.#source.noteUse(this.cache.takeUsed()).catch(this.#warn);
  }
}

@Module({
  providers: [
    {
      provide: IdentityService,
      useFactory: (config: AvailabilityConfig, logger: Logger, metrics: Metrics) =>
        new IdentityService(config, logger, metrics),
      inject: [CONFIG, LOGGER, METRICS],
    },
  ],
})
export class IdentityModule {}
