/** Who may call: keys and persons, remembered and forgotten in time. */
import { type BeforeApplicationShutdown, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { IDENTITY_SUBJECTS } from '@onepool/contracts';
import { PostgresIdentity, type ServedIdentity, serveIdentity } from '@onepool/identity-data-access';
import { CONFIG, LOGGER, METRICS } from '@onepool/platform-app';
import { IdentityCache, type IdentitySource } from '@onepool/platform-auth';
import { connectNats, natsAddress } from '@onepool/platform-messaging';
import { createPool } from '@onepool/platform-postgres';
import type { Logger, Metrics } from '@onepool/platform-telemetry';
import type pg from 'pg';
import { type AvailabilityConfig, IDENTITY_SCHEMA } from '../config.ts';

const USE_NOTED_EVERY_MS = 60_000;

/** The identity of this replica, on connections of its own: what else the database has to do keeps no revoked key alive. */
export class IdentityService implements BeforeApplicationShutdown, OnApplicationShutdown {
  readonly cache: IdentityCache;
  readonly #pool: pg.Pool;
  readonly #source: PostgresIdentity;
  readonly #noting: NodeJS.Timeout;
  readonly #warn: (error: unknown) => void;
  #connection: NatsConnection | undefined;
  #served: ServedIdentity | undefined;
  #isClosing = false;

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
    this.cache = new IdentityCache(this.#told());
    this.cache.start();
    void this.#serve(config).catch(this.#warn);
    const help = 'Since the rights in memory were known to be the present ones';
    metrics.gauge('onepool_identity_age_seconds', help, [], (gauge) => gauge.set(this.cache.ageMs / 1_000));
    this.#noting = setInterval(() => void this.#noteUse(), USE_NOTED_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#noting);
    await this.#noteUse();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#isClosing = true;
    await this.cache.stop();
    await this.#connection?.close();
    await this.#pool.end();
  }

  /** The tables, whose beats other apps hear as well. */
  #told(): IdentitySource {
    return {
      ask: (question) => this.#source.ask(question),
      watch: (onBeat) =>
        this.#source.watch((beat, sentAtMs) => {
          onBeat(beat, sentAtMs);
          this.#served?.tell(beat, sentAtMs);
        }),
    };
  }

  /** Without NATS there is nobody to serve: this app reads its own tables and goes on. */
  async #serve(config: AvailabilityConfig): Promise<void> {
    const connection = await connectNats({ ...natsAddress(config), name: `${config.ONEPOOL_INSTANCE}-identity` });
    if (this.#isClosing) return connection.close();
    this.#connection = connection;
    this.#served = serveIdentity({
      connection,
      subjects: IDENTITY_SUBJECTS,
      source: this.#source,
      onError: this.#warn,
    });
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
