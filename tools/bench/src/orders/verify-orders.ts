/** Asks the database where the unit of each order stands, and whether the book agrees. */
import { ACCOUNTS } from '@onepool/stock-domain';
import type { Account } from '@onepool/stock-domain';
import type { Surroundings } from '../contenders/contender.ts';
import { withClient } from '../setting/database.ts';
import { FACT_GAPS, WrongResultsError } from '../setting/verify.ts';
import type { Order } from './order-desk.ts';

export interface OrdersClaim {
  readonly owner: string;
  /** All that the owner has, as they were answered last. */
  readonly orders: readonly Order[];
  /** SKUs that had stock before there were orders: those with the lowest keys. */
  readonly stockedSkus: number;
  /** Of each of their rows. */
  readonly unitsPerRow: number;
  /** In the whole book, after all answers. */
  readonly onHand: number;
}

const OPEN_UNITS = `
  SELECT r.id, r.version, b.held, b.confirmed, n.code AS node
    FROM reservation r
    LEFT JOIN backing b ON b.reservation_key = r.reservation_key AND b.held + b.confirmed > 0
    LEFT JOIN supply s USING (supply_key)
    LEFT JOIN rules_node n ON n.node_key = s.node_key
   WHERE r.owner = $1`;

const posted = (account: Account): string => {
  const code = ACCOUNTS.indexOf(account);
  return `sum(CASE ${code} WHEN to_state THEN quantity WHEN from_state THEN -quantity ELSE 0 END) AS ${account}`;
};

/** A hold tells nothing, each later version one fact. */
const BOOK = `SELECT
  (SELECT sum(on_hand) FROM stock)::float8 AS on_hand,
  (SELECT count(*) FROM supply s
     FULL JOIN (SELECT supply_key, sum(held) AS held, sum(confirmed) AS confirmed
                  FROM backing WHERE supply_key IS NOT NULL GROUP BY 1) b USING (supply_key)
    WHERE coalesce(s.reserved, 0) <> coalesce(b.held, 0)
       OR coalesce(s.committed, 0) <> coalesce(b.confirmed, 0))::float8 AS unlike_backings,
  (SELECT count(*) FROM supply s
     LEFT JOIN (SELECT supply_key, ${(['available', 'reserved', 'committed'] as const).map(posted).join(', ')}
                  FROM ledger GROUP BY 1) l USING (supply_key)
    WHERE (s.available, s.reserved, s.committed)
       <> (CASE WHEN s.kind = 0 AND s.sku_key <= $3 THEN $2 ELSE 0 END + coalesce(l.available, 0), coalesce(l.reserved, 0), coalesce(l.committed, 0)))::float8 AS unlike_ledger,
  (SELECT count(*) FROM reservation r
     LEFT JOIN (SELECT data->>'owner' AS owner, data->>'reservation' AS id,
                       count(*) AS facts, max((data->>'version')::int) AS told
                  FROM outbox WHERE key LIKE 'reservation/%' GROUP BY 1, 2) o USING (owner, id)
    WHERE r.owner = $1 AND (r.version, r.version - 1) IS DISTINCT FROM (o.told, o.facts))::float8 AS untold_orders,
  ${FACT_GAPS}`;

const SHOWN_MAX = 3;

/**
 * Each order has exactly its unit, at the node and version that was answered last; the promises of each row are the sums of its
 * backings, its balances those of the ledger; nothing has left the book beyond what was told; and every version was told.
 *
 * @throws WrongResultsError with every difference.
 */
export async function verifyOrders(database: Surroundings, claim: OrdersClaim): Promise<void> {
  const expected = {
    on_hand: claim.onHand,
    unlike_backings: 0,
    unlike_ledger: 0,
    untold_orders: 0,
    broken_chains: 0,
    untold: 0,
  };
  await withClient(database, async (client) => {
    const standing = await client.query<FoundOrder>(OPEN_UNITS, [claim.owner]);
    const problems = differences(standing.rows, claim.orders);
    const book = await client.query<typeof expected>(BOOK, [claim.owner, claim.unitsPerRow, claim.stockedSkus]);
    if (JSON.stringify(book.rows[0]) !== JSON.stringify(expected)) {
      problems.push(`the book: ${JSON.stringify(book.rows[0])} instead of ${JSON.stringify(expected)}`);
    }
    if (problems.length > 0) throw new WrongResultsError(problems.join('\n'));
  });
}

interface FoundOrder extends Order {
  readonly held: number | null;
  readonly confirmed: number | null;
}

function differences(found: readonly FoundOrder[], orders: readonly Order[]): string[] {
  const told = ({ id, version, node, held, confirmed }: FoundOrder): string =>
    `${id}, version ${version}: ${confirmed ?? 0} confirmed and ${held ?? 0} held at ${node ?? 'no node'}`;
  const answered = orders.map((order) => told({ ...order, held: 0, confirmed: 1 })).toSorted();
  const stored = found.map(told).toSorted();
  const only = (these: readonly string[], those: ReadonlySet<string>): readonly string[] =>
    these.filter((one) => !those.has(one));
  const [lost, other] = [only(answered, new Set(stored)), only(stored, new Set(answered))];
  if (lost.length === 0 && other.length === 0 && stored.length === answered.length) return [];
  return [
    `orders: ${stored.length} places in the database, ${answered.length} answered; ${lost.length} are not as answered`,
    ...lost.slice(0, SHOWN_MAX).map((one) => `answered: ${one}`),
    ...other.slice(0, SHOWN_MAX).map((one) => `in the database: ${one}`),
  ];
}
