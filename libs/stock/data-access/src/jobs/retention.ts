/**
 * Forgets the stored effects of old commands, feeds that ended, closed exceptions and closed inspections. Runs slowly in the background of
 * every replica; a session's advisory lock lets one at a time do it, and ends with the session.
 *
 * A command or a feed that is sent again after its effect was forgotten takes effect again (ADR 0005). Reservations are kept, and
 * with them the keys of holds.
 */
import assert from 'node:assert/strict';
import { Recurring } from '@onepool/platform-clock';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { underSessionLock } from '@onepool/platform-postgres';
import type pg from 'pg';
import { failAbandonedUploads, forgetExceptions, forgetFeeds, forgetInspections } from './forget-feeds.ts';

export const COMMAND_DAYS_MIN = 7;
const FEED_DAYS_DEFAULT = 90;

export interface RetentionOptions {
  readonly pool: pg.Pool;
  readonly schema: string;
  /** Effects of commands that are older are forgotten. At least 7. */
  readonly commandDays: number;
  /** Feeds that ended longer ago are forgotten with their refusals, as are exceptions and inspections that have been closed for so long. Default 90, at least 7. */
  readonly feedDays?: number;
  /** Mean pause before the first pass and between passes, in milliseconds. Defaults 300,000 and 3,600,000. */
  readonly firstAfterMs?: number;
  readonly intervalMs?: number;
  /** In [0, 1); spreads replicas over time. */
  readonly random?: () => number;
  /** Told how many effects went. */
  readonly onDone?: (commands: number) => void;
  readonly onError?: (error: unknown) => void;
}

const FORGET_COMMANDS = commitPoint('stock.forget_commands');
const ROWS_PER_BATCH = 5_000;

export class Retention {
  readonly #options: RetentionOptions;
  readonly #recurring: Recurring;

  constructor(options: RetentionOptions) {
    this.#options = options;
    const { commandDays, firstAfterMs = 300_000, intervalMs = 3_600_000, random, onDone, onError } = options;
    assert(commandDays >= COMMAND_DAYS_MIN, `effects of commands are kept at least ${COMMAND_DAYS_MIN} days`);
    assert(
      (options.feedDays ?? FEED_DAYS_DEFAULT) >= COMMAND_DAYS_MIN,
      `feeds are kept at least ${COMMAND_DAYS_MIN} days`,
    );
    const work = async (): Promise<void> => {
      const commands = await this.once();
      if (commands !== null) onDone?.(commands);
    };
    this.#recurring = new Recurring({ work, firstAfterMs, intervalMs, random, onError });
  }

  start(): void {
    this.#recurring.start();
  }

  /** Waits for the batch that is being deleted. */
  stop(): Promise<void> {
    return this.#recurring.stop();
  }

  /** One pass over everything; null when another replica is at it. Answers how many effects of commands went. */
  once(): Promise<number | null> {
    const { pool, schema } = this.#options;
    return underSessionLock(pool, `${schema}.retention`, async (client) => {
      const { signal } = this.#recurring;
      const days = this.#options.feedDays ?? FEED_DAYS_DEFAULT;
      await failAbandonedUploads(client, signal);
      await forgetFeeds(client, days, signal);
      await forgetExceptions(client, days, signal);
      await forgetInspections(client, days, signal);
      return this.#forgetCommands(client);
    });
  }

  async #forgetCommands(client: pg.PoolClient): Promise<number> {
    const remove = `
      DELETE FROM command WHERE (actor, id) IN (
        SELECT actor, id FROM command WHERE recorded_at < clock_timestamp() - make_interval(days => $1)
         ORDER BY recorded_at LIMIT ${ROWS_PER_BATCH})`;
    for (let total = 0; ;) {
      const { rowCount } = await committing(FORGET_COMMANDS, () => client.query(remove, [this.#options.commandDays]));
      total += rowCount ?? 0;
      if ((rowCount ?? 0) < ROWS_PER_BATCH || this.#recurring.signal.aborted) return total;
    }
  }
}
