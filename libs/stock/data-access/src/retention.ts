/**
 * Forgets what nobody may need any longer: published facts, and the stored effects of old commands. Runs slowly in the
 * background of every replica; a session's advisory lock lets one at a time do it, and ends with the session.
 *
 * A command that is sent again after its effect was forgotten takes effect again (ADR 0005). Reservations are kept, and
 * with them the keys of holds. Consumers with an inbox prune it themselves, later than the outbox.
 */
import assert from 'node:assert/strict';
import { MIN_OUTBOX_DAYS, pruneOutbox } from '@onepool/platform-messaging';
import type pg from 'pg';

export const COMMAND_DAYS_MIN = 7;

export interface RetentionOptions {
  readonly pool: pg.Pool;
  readonly schema: string;
  /** Facts that are published and older are forgotten. At least 7. */
  readonly outboxDays: number;
  /** Effects of commands that are older are forgotten. At least 7. */
  readonly commandDays: number;
  /** Mean pause before the first pass and between passes, in milliseconds. Defaults 300,000 and 3,600,000. */
  readonly firstAfterMs?: number;
  readonly intervalMs?: number;
  /** In [0, 1); spreads replicas over time. */
  readonly random?: () => number;
  readonly onDone?: (forgotten: Forgotten) => void;
  readonly onError?: (error: unknown) => void;
}

/** How many rows went. */
export interface Forgotten {
  readonly facts: number;
  readonly commands: number;
}

const ROWS_PER_BATCH = 5_000;
const LOCK = `hashtextextended($1 || '.retention', 0)`;

export class Retention {
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  readonly #stopping = new AbortController();

  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
    const { outboxDays, commandDays } = options;
    assert(outboxDays >= MIN_OUTBOX_DAYS, `the outbox keeps at least ${MIN_OUTBOX_DAYS} days`);
    assert(commandDays >= COMMAND_DAYS_MIN, `effects of commands are kept at least ${COMMAND_DAYS_MIN} days`);
  }

  start(): void {
    this.#schedule(this.#options.firstAfterMs ?? 300_000);
  }

  /** Waits for the batch that is being deleted. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running;
  }

  /** One pass over everything; null when another replica is at it. */
  async once(): Promise<Forgotten | null> {
    const { pool, schema } = this.#options;
    const client = await pool.connect();
    let broken = true;
    try {
      const { rows } = await client.query<{ ours: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS ours`, [schema]);
      const forgotten = rows[0]?.ours ? await this.#forget(client) : null;
      if (forgotten) await client.query(`SELECT pg_advisory_unlock(${LOCK})`, [schema]);
      broken = false;
      return forgotten;
    } finally {
      // The lock ends with a session that failed.
      client.release(broken);
    }
  }

  async #forget(client: pg.PoolClient): Promise<Forgotten> {
    const { schema, outboxDays } = this.#options;
    const { signal } = this.#stopping;
    const facts = await pruneOutbox({ pool: client, schema, days: outboxDays, batchSize: ROWS_PER_BATCH, signal });
    return { facts, commands: await this.#forgetCommands(client) };
  }

  async #forgetCommands(client: pg.PoolClient): Promise<number> {
    for (let total = 0; ;) {
      const { rowCount } = await client.query(
        `DELETE FROM command WHERE (client, id) IN (
           SELECT client, id FROM command WHERE recorded_at < clock_timestamp() - make_interval(days => $1)
            ORDER BY recorded_at LIMIT ${ROWS_PER_BATCH})`,
        [this.#options.commandDays],
      );
      total += rowCount ?? 0;
      if ((rowCount ?? 0) < ROWS_PER_BATCH || this.#stopping.signal.aborted) return total;
    }
  }

  #schedule(meanMs: number): void {
    if (this.#stopping.signal.aborted) return;
    const jitter = 0.5 + (this.#options.random ?? Math.random)();
    this.#timer = setTimeout(() => this.#run(), meanMs * jitter).unref();
  }

  #run(): void {
    this.#running = this.once()
      .then(
        (forgotten) => forgotten && this.#options.onDone?.(forgotten),
        (error: unknown) => this.#options.onError?.(error),
      )
      .then(() => this.#schedule(this.#options.intervalMs ?? 3_600_000));
  }
}
