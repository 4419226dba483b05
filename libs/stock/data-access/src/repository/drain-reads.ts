/** What draining a SKU needs to know besides its supply: which promises may not stay where they are. */
import {
  type ChannelKey,
  type NodeKey,
  type SellingRules,
  type SkuKey,
  type SkuSupply,
  drainReason,
  noSupply,
} from '@onepool/stock-domain';
import type pg from 'pg';
import { HEALED_PER_LOOK_MAX, NAMED_PER_SKU_MAX } from './healing-reads.ts';

export interface DrainLook {
  /** Keys of reservations whose units there the engine may move by itself, newest first. */
  readonly movable: readonly number[];
  /** The oldest of them, if older ones were not loaded; else null. */
  readonly moreBelow: number | null;
  /** Keys of reservations whose units there are told if they do not move, whoever decides about them; the oldest, as many as are named. */
  readonly standing: readonly number[];
  /** Units that may not stay, those of others included. */
  readonly units: ReadonlyMap<NodeKey, number>;
}

export interface DrainTerms {
  readonly supplies: ReadonlyMap<SkuKey, SkuSupply>;
  readonly rules: SellingRules;
  /** Milliseconds. */
  readonly now: number;
}

interface Standing {
  readonly node: NodeKey;
  readonly channel: ChannelKey;
  readonly units: number;
}

/** The caller holds the gates. Known limit: all open backings of a SKU are looked through. */
export async function readDrains(
  client: pg.PoolClient,
  skus: readonly SkuKey[],
  terms: DrainTerms,
): Promise<ReadonlyMap<SkuKey, DrainLook>> {
  const looks = new Map<SkuKey, DrainLook>();
  for (const sku of skus) looks.set(sku, await readDrain(client, sku, terms));
  return looks;
}

async function readDrain(client: pg.PoolClient, sku: SkuKey, terms: DrainTerms): Promise<DrainLook> {
  const supply = terms.supplies.get(sku) ?? noSupply(sku);
  const { rules, now } = terms;
  const standing = await readStanding(client, sku, now);
  const leaving = standing.filter(
    ({ channel, node }) => drainReason({ channel }, { kind: 'stock', node }, supply, rules, now) !== null,
  );
  const units = new Map<NodeKey, number>();
  for (const { node, units: more } of leaving) units.set(node, (units.get(node) ?? 0) + more);
  const movable = leaving.length === 0 ? [] : await readMovable(client, sku, leaving);
  const moreBelow = movable.length === HEALED_PER_LOOK_MAX ? (movable.at(-1) ?? null) : null;
  const isLast = leaving.length > 0 && moreBelow === null;
  return { movable, standing: isLast ? await readNamed(client, sku, leaving) : [], moreBelow, units };
}

/** Without what has run out, which is given back before. */
async function readStanding(client: pg.PoolClient, sku: SkuKey, now: number): Promise<readonly Standing[]> {
  const { rows } = await client.query<Standing>({
    name: 'standing-promises',
    text: `SELECT b.node_key AS node, r.channel_key AS channel,
                  sum(b.confirmed + CASE WHEN b.expires_at > to_timestamp($2::float8 / 1000.0) THEN b.held ELSE 0 END)::float8 AS units
             FROM backing b JOIN reservation r USING (reservation_key)
            WHERE b.sku_key = $1 AND b.held + b.confirmed > 0 AND b.kind = 0 AND b.supply_key IS NOT NULL
            GROUP BY b.node_key, r.channel_key`,
    values: [sku, now],
  });
  return rows;
}

async function readMovable(
  client: pg.PoolClient,
  sku: SkuKey,
  leaving: readonly Standing[],
): Promise<readonly number[]> {
  const { rows } = await client.query<{ reservation_key: number }>({
    name: 'movable-promises',
    text: `SELECT DISTINCT b.reservation_key
             FROM backing b JOIN reservation r USING (reservation_key) LEFT JOIN drain_task t USING (sku_key)
            WHERE b.sku_key = $1 AND b.held + b.confirmed > 0 AND b.kind = 0 AND b.supply_key IS NOT NULL
              AND b.fulfilment IS NULL AND r.controller_order IS NULL
              AND (t.before_key IS NULL OR b.reservation_key < t.before_key)
              AND EXISTS (SELECT FROM unnest($2::int[], $3::int[]) AS p (node_key, channel_key)
                           WHERE p.node_key = b.node_key AND p.channel_key = r.channel_key)
            ORDER BY b.reservation_key DESC LIMIT ${HEALED_PER_LOOK_MAX}`,
    values: [sku, leaving.map(({ node }) => node), leaving.map(({ channel }) => channel)],
  });
  return rows.map((row) => row.reservation_key);
}

/** The oldest first, so that the same ones are named at every look. */
async function readNamed(client: pg.PoolClient, sku: SkuKey, leaving: readonly Standing[]): Promise<readonly number[]> {
  const { rows } = await client.query<{ reservation_key: number }>({
    name: 'stranded-promises',
    text: `SELECT DISTINCT b.reservation_key
             FROM backing b JOIN reservation r USING (reservation_key)
            WHERE b.sku_key = $1 AND b.held + b.confirmed > 0 AND b.kind = 0 AND b.supply_key IS NOT NULL
              AND EXISTS (SELECT FROM unnest($2::int[], $3::int[]) AS p (node_key, channel_key)
                           WHERE p.node_key = b.node_key AND p.channel_key = r.channel_key)
            ORDER BY b.reservation_key LIMIT ${NAMED_PER_SKU_MAX}`,
    values: [sku, leaving.map(({ node }) => node), leaving.map(({ channel }) => channel)],
  });
  return rows.map((row) => row.reservation_key);
}
