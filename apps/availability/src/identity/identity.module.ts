/** Who may call: keys and persons, remembered and forgotten in time. */
import { type BeforeApplicationShutdown, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { IDENTITY_SUBJECTS } from '@onepool/contracts';
import { PostgresIdentity, type ServedIdentity, serveIdentity } from '@onepool/identity-data-access';
import { CONFIG, CONNECTIONS, type ConnectionBudget, LOGGER, METRICS } from '@onepool/platform-app';
import { type IdentityAnswer, IdentityCache, type IdentityQuestion, type IdentitySource } from '@onepool/platform-auth';
import { connectNats, natsAddress } from '@onepool/platform-messaging';
import type { Logger, Metrics } from '@onepool/platform-telemetry';
import type pg from 'pg';
import { type AvailabilityConfig, IDENTITY_SCHEMA } from '../config.ts';

const USE_NOTED_EVERY_MS = 60_000;

/** The identity of this replica, on connections of its own: what else the database has to do keeps no revoked key alive. */
export class IdentityService implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly cache: IdentityCache;
  readonly #config: AvailabilityConfig;
  readonly #pool: pg.Pool;
  readonly #source: PostgresIdentity;
  readonly #warn: (error: unknown) => void;
  readonly #closing = new AbortController();
  #noting: NodeJS.Timeout | undefined;
  #serving: Promise<NatsConnection | undefined> | undefined;
  #served: ServedIdentity | undefined;

  /** Connects to nothing and starts nothing, so that what fails beside it leaves nothing of it behind. */
  constructor(config: AvailabilityConfig, logger: Logger, metrics: Metrics, connections: ConnectionBudget) {
    this.#config = config;
    this.#warn = (error) => logger.warn({ err: error }, 'the identity cannot be read; who is known stays good for now');
    this.#pool = connections.pool('identity', 2, {
      schema: IDENTITY_SCHEMA,
      statementTimeoutMs: 2_000,
      lockTimeoutMs: 2_000,
      onConnectionError: this.#warn,
    });
    this.#source = new PostgresIdentity({ pool: this.#pool, schema: IDENTITY_SCHEMA, onError: this.#warn });
    this.cache = new IdentityCache(this.#told());
    const help = 'Since the rights in memory were known to be the present ones';
    metrics.gauge('onepool_identity_age_seconds', help, [], (gauge) => gauge.set(this.cache.ageMs / 1_000));
  }

  onModuleInit(): void {
    this.cache.start();
    this.#serving = this.#serve();
    this.#noting = setInterval(() => void this.#noteUse(), USE_NOTED_EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#noting);
    await this.#noteUse();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#closing.abort();
    await this.cache.stop();
    await (await this.#serving)?.close();
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
  async #serve(): Promise<NatsConnection | undefined> {
    const { signal } = this.#closing;
    const name = `${this.#config.ONEPOOL_INSTANCE}-identity`;
    try {
      const connection = await connectNats({ ...natsAddress(this.#config), name, signal });
      const source = { ask: (question: IdentityQuestion) => this.#askedByOthers(question) };
      this.#served = serveIdentity({ connection, subjects: IDENTITY_SUBJECTS, source, onError: this.#warn });
      return connection;
    } catch (error) {
      if (!signal.aborted) this.#warn(error);
      return undefined;
    }
  }

  /** Whoever asks is being called with the key. */
  async #askedByOthers(question: IdentityQuestion): Promise<IdentityAnswer> {
    const answer = await this.#source.ask(question);
    if (answer.found && 'sha256' in question) this.cache.markUsed(question.sha256);
    return answer;
  }

  async #noteUse(): Promise<void> {
    await this.cache.noteUse((sha256s) => this.#source.noteUse(sha256s)).catch(this.#warn);
  }
}

@Module({
  providers: [
    {
      provide: IdentityService,
      useFactory: (config: AvailabilityConfig, logger: Logger, metrics: Metrics, connections: ConnectionBudget) =>
        new IdentityService(config, logger, metrics, connections),
      inject: [CONFIG, LOGGER, METRICS, CONNECTIONS],
    },
  ],
})
export class IdentityModule {}
