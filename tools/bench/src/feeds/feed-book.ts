/** What feeds have left behind: the book, the ledger, and facts. */
import { setTimeout as delay } from 'node:timers/promises';
import { withClient } from '../setting/database.ts';
import type { BenchDatabase } from '../setting/database.ts';
import { WrongResultsError } from '../setting/verify.ts';

const RELAY_DEADLINE_MS = 300_000;

/** Resolves when the relay has published all that the outbox holds. */
export async function relayed(database: BenchDatabase): Promise<void> {
  await withClient(database, async (client) => {
    for (const deadline = performance.now() + RELAY_DEADLINE_MS; performance.now() < deadline; await delay(100)) {
      const { rows } = await client.query<{ waiting: boolean }>(
        `SELECT EXISTS (SELECT FROM outbox o LEFT JOIN relay_cursor c USING (partition) WHERE o.id > coalesce(c.low, 0)) AS waiting`,
      );
      if (!rows[0]?.waiting) return;
    }
    throw new Error('the relay does not catch up with the facts of a feed');
  });
}

export interface FeedClaim {
  /** Units, before all feeds and after them. */
  readonly onHandBefore: number;
  readonly onHand: number;
  readonly reserved: number;
}

/**
 * The book counts what the feeds told, the ledger moved by the difference, and every last version was told.
 *
 * @throws WrongResultsError
 */
export async function verifyFeeds(database: BenchDatabase, claim: FeedClaim): Promise<void> {
  const expected = { on_hand: claim.onHand, reserved: claim.reserved, untold: 0, unbalanced: 0 };
  const found = await withClient(database, async (client) => {
    const { rows } = await client.query<typeof expected>(
      `SELECT (SELECT sum(on_hand) FROM stock)::float8 AS on_hand,
              (SELECT sum(reserved) FROM stock)::float8 AS reserved,
              (SELECT count(*) FROM sku_gate g JOIN sku_code s USING (sku_key)
                 LEFT JOIN (SELECT key, max((data->>'toVersion')::bigint) AS told FROM outbox GROUP BY key) o ON o.key = 'sku/' || s.code
                WHERE g.version <> coalesce(o.told, 0))::float8 AS untold,
              ((SELECT sum(on_hand) FROM stock) - $1::bigint
                 - (SELECT coalesce(sum(quantity), 0) FROM ledger WHERE from_state = 0))::float8 AS unbalanced`,
      [claim.onHandBefore],
    );
    return rows[0];
  });
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new WrongResultsError(`after the feeds: ${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`);
  }
}
