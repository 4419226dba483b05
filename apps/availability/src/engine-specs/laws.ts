/**
 * The laws of the pool, asked of the database itself and not of the engine, so that a fault in what the engine
 * remembers or shows cannot hide one in what it wrote.
 */
interface Queryable {
  query(sql: string, values: unknown[]): Promise<unknown>;
}

interface Law {
  readonly name: string;
  /** Selects one row for each breach; `$1` are the keys of the SKUs to look at. */
  readonly breaches: string;
}

const OPEN_BACKINGS = `
  SELECT supply_key, sku_key, sum(held) AS held, sum(confirmed) AS confirmed
    FROM backing WHERE sku_key = ANY($1) AND supply_key IS NOT NULL GROUP BY supply_key, sku_key`;

/** By their codes in the ledger. The first two are outside of the book; the balances of contra accounts have their sign turned. */
const ACCOUNTS = [
  ...['external', 'expected', 'available', 'committed', 'reserved', 'safety_stock', 'damaged', 'quality_control'],
  ...['shortfall', 'overdrawn', 'unapplied'],
];
const CONTRA = ['shortfall', 'overdrawn'];
const IN_THE_BOOK = ACCOUNTS.slice(2);
const unitsOf = (account: string): string => {
  const code = ACCOUNTS.indexOf(account);
  const moved = `CASE ${code} WHEN to_state THEN quantity WHEN from_state THEN -quantity ELSE 0 END`;
  return CONTRA.includes(account) ? `-(${moved})` : moved;
};

/** Balance of an account after each posting, in the order in which the SKU changed. */
const RUNNING = (account: string): string => `
  SELECT supply_key, sku_key, sku_version,
         sum(${unitsOf(account)}) OVER (PARTITION BY supply_key ORDER BY sku_version, ordinal) AS balance
    FROM ledger WHERE sku_key = ANY($1)`;

const TALLIES = 'held + confirmed + fulfilled + released + expired + cancelled + broken';
const STAGES = ['accepted', 'picked', 'shipped'];

/** Lines as they were held, with units that were added since, and lines that were added. */
const LINES = `
  SELECT r.reservation_key, r.id, line, max(sku_key) AS sku_key, sum(units) AS units
    FROM reservation r CROSS JOIN LATERAL (
      SELECT place - 1 AS line, (one->>1)::int AS sku_key, (one->>3)::int AS units
        FROM json_array_elements(r.lines) WITH ORDINALITY AS held (one, place)
       UNION ALL
      SELECT (one->>0)::int, (one->>2)::int, (one->>3)::int FROM json_array_elements(coalesce(r.amended, '[]')) AS one) lines
   GROUP BY 1, 2, 3`;

const LAWS: readonly Law[] = [
  {
    name: 'reserved and committed are the sums of the open backings',
    breaches: `
      SELECT supply_key, s.reserved, s.committed, b.held, b.confirmed
        FROM (SELECT * FROM supply WHERE sku_key = ANY($1)) s FULL JOIN (${OPEN_BACKINGS}) b USING (supply_key, sku_key)
       WHERE coalesce(s.reserved, 0) <> coalesce(b.held, 0) OR coalesce(s.committed, 0) <> coalesce(b.confirmed, 0)`,
  },
  {
    name: 'the tallies of a line add up to what was granted and added',
    breaches: `
      SELECT l.id, l.line, l.units AS granted, t.units
        FROM (${LINES}) l
        LEFT JOIN LATERAL (SELECT sum(${TALLIES}) AS units
                             FROM backing b WHERE b.reservation_key = l.reservation_key AND b.line = l.line) t ON true
       WHERE l.sku_key = ANY($1) AND l.units <> coalesce(t.units, 0)`,
  },
  {
    name: 'each backing belongs to a line of its SKU, and stands on a row of it or on none',
    breaches: `
      SELECT b.* FROM backing b
        LEFT JOIN (${LINES}) l USING (reservation_key, line, sku_key) LEFT JOIN supply s USING (supply_key)
       WHERE b.sku_key = ANY($1) AND (
         l.id IS NULL
         OR b.supply_key IS NOT NULL AND (s.supply_key IS NOT NULL OR b.kind <> 1 OR b.held + b.confirmed > 0) AND (s.sku_key, s.node_key, s.kind, s.detail_key)
              IS DISTINCT FROM (b.sku_key, b.node_key, b.kind, coalesce(b.detail_key, 0)))`,
  },
  {
    name: 'a row of what is on its way has its line, which is read with it, and a line that nobody reads has none',
    breaches: `
      SELECT s.supply_key, l.detail_key, l.is_open
        FROM (SELECT * FROM supply WHERE sku_key = ANY($1) AND kind = 1) s LEFT JOIN inbound_line l USING (detail_key)
       WHERE l.is_open IS NOT TRUE OR (l.sku_key, l.node_key) <> (s.sku_key, s.node_key)`,
  },
  {
    name: 'who waits is ranked by priority and age',
    breaches: `
      SELECT r.id, b.wait_rank FROM backing b JOIN reservation r USING (reservation_key)
       WHERE b.sku_key = ANY($1) AND b.kind <> 0 AND b.held + b.confirmed > 0
         AND b.wait_rank IS DISTINCT FROM (100 - coalesce(r.priority, 0)) * (2^44)::bigint
             + floor(extract(epoch FROM coalesce(r.ordered_at, r.created_at)) * 1000)::bigint`,
  },
  {
    name: 'units that wait for a slice have a task that goes on with them',
    breaches: `
      SELECT s.sku_key, s.unapplied FROM stock s
       WHERE s.sku_key = ANY($1) AND s.unapplied > 0 AND NOT EXISTS (SELECT FROM sku_task t WHERE t.sku_key = s.sku_key)`,
  },
  {
    name: 'an order has the reservation that names it, and no other',
    breaches: `
      SELECT reservation_key, r.controller_order, c.order_id
        FROM (SELECT * FROM reservation WHERE controller_order IS NOT NULL) r FULL JOIN controller c USING (reservation_key)
       WHERE (r.controller_actor, r.controller_order) IS DISTINCT FROM (c.actor, c.order_id)
         AND reservation_key IN (SELECT reservation_key FROM backing WHERE sku_key = ANY($1))`,
  },
  {
    name: 'what has been told of a fulfilment is what is fulfilled of it',
    breaches: `
      SELECT reservation_key, fulfilment, sku_key, t.effect, b.fulfilled
        FROM (SELECT reservation_key, subject AS fulfilment, sku_key, effect FROM told_effect WHERE what = 0 AND sku_key = ANY($1)) t
        FULL JOIN (SELECT reservation_key, fulfilment, sku_key, sum(fulfilled) AS fulfilled FROM backing
                    WHERE fulfilment IS NOT NULL AND sku_key = ANY($1) GROUP BY 1, 2, 3) b
       USING (reservation_key, fulfilment, sku_key)
       WHERE coalesce(t.effect, 0) <> coalesce(b.fulfilled, 0)`,
  },
  {
    name: 'the backings of a reservation are numbered without a gap',
    breaches: `
      SELECT reservation_key, array_agg(backing_no ORDER BY backing_no) AS numbers FROM backing
       WHERE reservation_key IN (SELECT reservation_key FROM backing WHERE sku_key = ANY($1))
       GROUP BY reservation_key HAVING count(DISTINCT backing_no) <> count(*) OR max(backing_no) <> count(*) - 1`,
  },
  {
    name: 'a backing that stands on no row says nothing that only one on a row can say',
    breaches: `
      SELECT reservation_key, backing_no, fulfilment, accepted, fence_key, fenced, detail_key, wait_rank
        FROM backing WHERE supply_key IS NULL AND sku_key = ANY($1)
         AND num_nonnulls(fulfilment, accepted, picked, shipped, fence_key, fenced, detail_key, wait_rank) > 0`,
  },
  {
    name: 'the stages of a backing are the sums of their entries',
    breaches: STAGES.map(
      (stage, place) => `
      SELECT '${stage}' AS stage, reservation_key, backing_no, b.${stage} AS told, e.units
        FROM (SELECT * FROM backing WHERE sku_key = ANY($1)) b
        FULL JOIN (SELECT reservation_key, backing_no, sum(units) AS units, min(supply_key) AS first, max(supply_key) AS last
                     FROM stage_entry WHERE sku_key = ANY($1) AND stage = ${place + 1} GROUP BY 1, 2) e
       USING (reservation_key, backing_no)
       WHERE coalesce(b.${stage}, 0) <> coalesce(e.units, 0)
          OR e.units IS NOT NULL AND (e.first IS DISTINCT FROM b.supply_key OR e.last IS DISTINCT FROM b.supply_key)`,
    ).join(' UNION ALL '),
  },
  {
    name: 'no unit is granted, sold or moved that the book did not have at that moment',
    breaches: IN_THE_BOOK.map(
      (account) => `
      SELECT '${account}' AS account, supply_key, sku_version, balance
        FROM (${RUNNING(account)}) running WHERE balance < 0`,
    ).join(' UNION ALL '),
  },
  {
    name: 'each balance is the sum of its postings',
    breaches: `
      SELECT supply_key, ${IN_THE_BOOK.map((account) => `s.${account} AS ${account}, l.${account} AS posted_${account}`).join(', ')}
        FROM (SELECT * FROM supply WHERE sku_key = ANY($1)) s
        FULL JOIN (SELECT supply_key, sku_key, node_key, ${IN_THE_BOOK.map((account) => `sum(${unitsOf(account)}) AS ${account}`).join(', ')}
                     FROM ledger WHERE sku_key = ANY($1) GROUP BY 1, 2, 3) l USING (supply_key, sku_key, node_key)
       WHERE ${IN_THE_BOOK.map((account) => `coalesce(s.${account}, 0) <> coalesce(l.${account}, 0)`).join(' OR ')}`,
  },
  {
    name: 'on hand less overdrawn is what came in less what went out',
    breaches: `
      SELECT s.sku_key, s.node_key, s.on_hand, s.unapplied, s.overdrawn, l.net
        FROM stock s LEFT JOIN (
          SELECT supply_key, sum(CASE WHEN from_state = 0 THEN quantity WHEN to_state = 0 THEN -quantity ELSE 0 END) AS net
            FROM ledger WHERE sku_key = ANY($1) GROUP BY supply_key) l USING (supply_key)
       WHERE s.sku_key = ANY($1) AND s.on_hand + s.unapplied - s.overdrawn <> coalesce(l.net, 0)`,
  },
  {
    name: 'versions of a SKU chain without a gap through its facts, up to its gate',
    breaches: `
      SELECT k.sku_key, f.from_version, f.before
        FROM sku_code k CROSS JOIN LATERAL (
          SELECT (data->>'fromVersion')::int AS from_version,
                 lag((data->>'toVersion')::int, 1, 0) OVER (ORDER BY id) AS before
            FROM outbox WHERE key = 'sku/' || k.code AND subject = 'onepool.stock.sku.changed.v1') f
       WHERE k.sku_key = ANY($1) AND f.from_version <> f.before
      UNION ALL
      SELECT g.sku_key, g.version::int, f.last
        FROM sku_gate g JOIN sku_code k USING (sku_key) LEFT JOIN LATERAL (
          SELECT max((data->>'toVersion')::int) AS last
            FROM outbox WHERE key = 'sku/' || k.code AND subject = 'onepool.stock.sku.changed.v1') f ON true
       WHERE g.sku_key = ANY($1) AND g.version <> coalesce(f.last, 0)`,
  },
  {
    name: 'whatever is in quality control waits for approval in an inspection',
    breaches: `
      SELECT s.sku_key, s.node_key, s.quality_control, i.open
        FROM stock s LEFT JOIN (SELECT sku_key, node_key, sum(open) AS open FROM inspection GROUP BY 1, 2) i USING (sku_key, node_key)
       WHERE s.sku_key = ANY($1) AND s.quality_control > coalesce(i.open, 0)`,
  },
  {
    name: 'what inspections have approved and rejected is what the ledger has of it',
    breaches: `
      SELECT sku_key, node_key, i.approved, i.rejected, l.approved AS posted_approved, l.rejected AS posted_rejected
        FROM (SELECT sku_key, node_key, sum(approved) AS approved, sum(rejected) AS rejected
                FROM inspection WHERE sku_key = ANY($1) GROUP BY 1, 2) i
        FULL JOIN (SELECT sku_key, node_key, sum(quantity) FILTER (WHERE to_state <> ${ACCOUNTS.indexOf('damaged')}) AS approved,
                          sum(quantity) FILTER (WHERE to_state = ${ACCOUNTS.indexOf('damaged')}) AS rejected
                     FROM ledger WHERE sku_key = ANY($1) AND reason = 'inspect' GROUP BY 1, 2) l USING (sku_key, node_key)
       WHERE coalesce(i.approved, 0) <> coalesce(l.approved, 0) OR coalesce(i.rejected, 0) <> coalesce(l.rejected, 0)`,
  },
  {
    name: 'what is used of a fence at a node is the sum of what backings there are charged to it',
    breaches: `
      SELECT sku_key, node_key, fence_key, u.used, b.fenced
        FROM (SELECT u.* FROM fence_use u JOIN rules_fence USING (fence_key) WHERE sku_key = ANY($1)) u
        FULL JOIN (SELECT sku_key, node_key, fence_key, sum(fenced) AS fenced
                     FROM backing JOIN rules_fence USING (fence_key) WHERE sku_key = ANY($1) GROUP BY 1, 2, 3) b
       USING (sku_key, node_key, fence_key)
       WHERE coalesce(u.used, 0) <> coalesce(b.fenced, 0)`,
  },
  {
    name: 'no backing is charged for more units than are with the buyer or still to come, and none without its fence',
    breaches: `
      SELECT reservation_key, backing_no, fence_key, fenced, held, confirmed, fulfilled
        FROM backing WHERE sku_key = ANY($1)
         AND (coalesce(fenced, 0) NOT BETWEEN 0 AND held + confirmed + fulfilled OR fence_key IS NULL AND fenced > 0)`,
  },
  {
    // One fact tells of all versions of a commit; which of them moved no unit is not told.
    name: 'each version of a SKU is in its ledger, but in a commit of which its fact tells a change that moves no unit',
    breaches: `
      SELECT g.sku_key, missing FROM sku_gate g CROSS JOIN generate_series(1, g.version) AS missing
       WHERE g.sku_key = ANY($1)
         AND NOT EXISTS (
           SELECT FROM outbox o JOIN sku_code k ON o.key = 'sku/' || k.code
            CROSS JOIN LATERAL json_array_elements(o.data->'causes') AS cause
            WHERE k.sku_key = g.sku_key AND cause->>'kind' IN ('stop', 'fence', 'inbound_line')
              AND missing > (o.data->>'fromVersion')::int AND missing <= (o.data->>'toVersion')::int)
         AND NOT EXISTS (SELECT FROM ledger l WHERE l.sku_key = g.sku_key AND l.sku_version = missing)`,
  },
  {
    name: 'no fact is told twice, and versions of a reservation only grow',
    breaches: `
      SELECT min(k.sku_key) AS sku_key, o.event_id
        FROM outbox o CROSS JOIN LATERAL (
          SELECT o.data->>'sku' AS code UNION SELECT change->>'sku' FROM json_array_elements(o.data->'changes') AS change) c
        JOIN sku_code k USING (code)
       WHERE k.sku_key = ANY($1) GROUP BY o.event_id HAVING count(DISTINCT o.id) > 1`,
  },
];

/**
 * Once the engine has nothing more to do by itself, nobody waits for what is free and could have it: of promises of which it is plain
 * where they may be served, since neither a stop or fence nor the nodes of their lines have a say in it.
 */
const UNSERVED = `
  SELECT r.id, b.kind, b.node_key AS waits_at, n.code AS node, s.available
    FROM backing b JOIN reservation r USING (reservation_key) JOIN rules_channel c USING (channel_key)
    JOIN stock s ON s.sku_key = b.sku_key AND s.available > 0 JOIN rules_node n ON n.node_key = s.node_key
    JOIN sku_code k ON k.sku_key = b.sku_key
   WHERE b.sku_key = ANY($1) AND b.kind <> 0 AND b.held + b.confirmed > 0 AND b.fulfilment IS NULL
     AND (b.node_key = s.node_key OR b.kind = 2 AND b.node_key = 0)
     AND (c.nodes IS NULL OR n.code = ANY(c.nodes)) AND r.amended IS NULL AND r.lines->(b.line::int)->6 IS NULL
     AND NOT EXISTS (SELECT FROM sku_stop t WHERE t.sku_key = b.sku_key)
     AND NOT EXISTS (SELECT FROM rules_fence f WHERE (f.until IS NULL OR f.until > clock_timestamp()) AND (f.skus IS NULL OR k.code = ANY(f.skus)))`;

/** Breaches of the laws by these SKUs (all of them by default), in words; empty when all is well. */
export async function brokenLaws(database: Queryable, skus?: readonly string[]): Promise<readonly string[]> {
  const keys = await keysOf(database, skus);
  const broken: string[] = [];
  for (const law of LAWS) broken.push(...(await breachesOf(law, database, keys)));
  return broken;
}

/** Whoever waits although there are units for him, in words. Asked while the engine rests. */
export const unservedAtRest = async (database: Queryable, skus?: readonly string[]): Promise<readonly string[]> =>
  breachesOf(
    { name: 'nobody waits beside what he may have', breaches: UNSERVED },
    database,
    await keysOf(database, skus),
  );

async function keysOf(database: Queryable, skus: readonly string[] = []): Promise<readonly number[]> {
  const sql = 'SELECT sku_key FROM sku_code WHERE $1::text[] IS NULL OR code = ANY($1)';
  const rows = (await database.query(sql, [skus.length === 0 ? null : skus])) as { sku_key: number }[];
  return rows.map((row) => row.sku_key);
}

async function breachesOf({ name, breaches }: Law, database: Queryable, skus: readonly number[]): Promise<string[]> {
  const rows = (await database.query(breaches, [skus])) as unknown[];
  return rows.length === 0 ? [] : [`${name}: ${JSON.stringify(rows.slice(0, 3))} (${rows.length})`];
}
