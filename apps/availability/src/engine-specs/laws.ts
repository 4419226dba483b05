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
  SELECT sku_key, node_key, sum(held) AS held, sum(confirmed) AS confirmed
    FROM backing WHERE sku_key = ANY($1) GROUP BY sku_key, node_key`;

/** Balance of an account after each posting, in the order in which the SKU changed. */
const RUNNING = (account: number, sign: string): string => `
  SELECT sku_key, node_key, sku_version, ${sign} sum(
           CASE WHEN to_state = ${account} THEN quantity ELSE 0 END - CASE WHEN from_state = ${account} THEN quantity ELSE 0 END)
           OVER (PARTITION BY sku_key, node_key ORDER BY sku_version, ordinal) AS balance
    FROM ledger WHERE sku_key = ANY($1)`;

/** Account codes of the ledger: 1 available … 6 quality_control, 7 shortfall and 8 overdrawn with their sign turned. */
const ACCOUNTS = [1, 2, 3, 4, 5, 6, 7, 8];

const LAWS: readonly Law[] = [
  {
    name: 'reserved and committed are the sums of the open backings',
    breaches: `
      SELECT sku_key, node_key, s.reserved, s.committed, b.held, b.confirmed
        FROM (SELECT * FROM stock WHERE sku_key = ANY($1)) s FULL JOIN (${OPEN_BACKINGS}) b USING (sku_key, node_key)
       WHERE coalesce(s.reserved, 0) <> coalesce(b.held, 0) OR coalesce(s.committed, 0) <> coalesce(b.confirmed, 0)`,
  },
  {
    name: 'the tallies of a line add up to what was granted',
    breaches: `
      SELECT r.id, (line->>0)::int AS sku_key, (line->>2)::int AS granted, t.units
        FROM reservation r CROSS JOIN json_array_elements(r.lines) AS line
        LEFT JOIN LATERAL (SELECT sum(held + confirmed + fulfilled + released + expired + cancelled) AS units
                             FROM backing b WHERE b.reservation_key = r.reservation_key AND b.sku_key = (line->>0)::int) t ON true
       WHERE (line->>0)::int = ANY($1) AND (line->>2)::int <> coalesce(t.units, 0)`,
  },
  {
    name: 'each backing belongs to a line',
    breaches: `
      SELECT b.* FROM backing b LEFT JOIN reservation r USING (reservation_key)
       WHERE b.sku_key = ANY($1) AND (r.id IS NULL OR NOT EXISTS (
         SELECT FROM json_array_elements(r.lines) AS line WHERE (line->>0)::int = b.sku_key))`,
  },
  {
    name: 'no unit is granted, sold or moved that the book did not have at that moment',
    breaches: ACCOUNTS.map(
      (account) => `
      SELECT ${account} AS account, sku_key, node_key, sku_version, balance
        FROM (${RUNNING(account, account >= 7 ? '-' : '')}) running WHERE balance < 0`,
    ).join(' UNION ALL '),
  },
  {
    name: 'on hand less overdrawn is what came in less what went out',
    breaches: `
      SELECT s.sku_key, s.node_key, s.on_hand, s.overdrawn, l.net
        FROM stock s LEFT JOIN (
          SELECT sku_key, node_key, sum(CASE WHEN from_state = 0 THEN quantity WHEN to_state = 0 THEN -quantity ELSE 0 END) AS net
            FROM ledger WHERE sku_key = ANY($1) GROUP BY sku_key, node_key) l USING (sku_key, node_key)
       WHERE s.sku_key = ANY($1) AND s.on_hand - s.overdrawn <> coalesce(l.net, 0)`,
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
    name: 'each version of a SKU is in its ledger',
    breaches: `
      SELECT g.sku_key, missing FROM sku_gate g CROSS JOIN generate_series(1, g.version) AS missing
       WHERE g.sku_key = ANY($1)
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

/** Breaches of the laws by these SKUs (all of them by default), in words; empty when all is well. */
export async function brokenLaws(database: Queryable, skus?: readonly string[]): Promise<readonly string[]> {
  const keys = (await database.query('SELECT sku_key FROM sku_code WHERE $1::text[] IS NULL OR code = ANY($1)', [
    skus ?? null,
  ])) as { sku_key: number }[];
  const broken: string[] = [];
  for (const { name, breaches } of LAWS) {
    const rows = (await database.query(breaches, [keys.map((row) => row.sku_key)])) as unknown[];
    if (rows.length > 0) broken.push(`${name}: ${JSON.stringify(rows.slice(0, 3))} (${rows.length})`);
  }
  return broken;
}
