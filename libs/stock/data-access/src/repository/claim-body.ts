/**
 * Of a command with several groups: which body its id stands for, whichever of its groups take effect. It is said under the key that
 * the one effect of any other command has, so that an id never stands for two of them.
 */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { accept } from '@onepool/stock-domain';
import type pg from 'pg';
import type { Keyed } from '../requests/command.ts';
import { type Answer, refuse } from '../requests/refusal.ts';

const CLAIM = commitPoint('stock.claim_body');

/** A request of one group needs no claim: its only effect says it. */
export async function claimBody(
  pool: pg.Pool,
  { actor, id, bodyHash, person }: Pick<Keyed, 'actor' | 'id' | 'bodyHash' | 'person'>,
  { groups }: { readonly groups: readonly unknown[] },
): Promise<Answer<null>> {
  if (groups.length === 1) return accept(null);
  const values = [actor, id, bodyHash, person];
  const insert = `
    INSERT INTO command (actor, id, group_no, body_hash, recorded_at, person)
    VALUES ($1, $2, 0, $3, clock_timestamp(), $4) ON CONFLICT DO NOTHING`;
  await committing(CLAIM, () => pool.query(insert, values));
  const { rows } = await pool.query<{ body_hash: Buffer }>(
    'SELECT body_hash FROM command WHERE actor = $1 AND id = $2 AND group_no = 0',
    [actor, id],
  );
  return rows[0]?.body_hash.equals(bodyHash) === true ? accept(null) : refuse('idempotency.mismatch');
}
