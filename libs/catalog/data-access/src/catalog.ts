/**
 * SKUs, nodes, channels and thresholds: changed by code, listed by code. Each call is one transaction, and calls take
 * effect one after the other; one that changes who may sell what from where steps the epoch.
 */
import type { Channel, ChannelChange, Node, NodeChange, Sku, SkuChange, Threshold } from '@onepool/contracts';
import { Slices } from '@onepool/platform-clock';
import { type Commit, commitPoint, committing } from '@onepool/platform-failpoints';
import { type DataSource, type EntityManager, type EntityTarget, MoreThan } from 'typeorm';
import { changeRows } from './change-rows.ts';
import { cursorAfter } from './code-cursor.ts';
import { ChannelEntity, NodeEntity, SkuEntity } from './entities.ts';
import { CHANNELS, type ChangeFault, type Kind, NODES, SKUS } from './kinds.ts';

export interface CatalogPage<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Of what has faults nothing is applied. */
export type Applied =
  { readonly ok: true; readonly applied: number } | { readonly ok: false; readonly faults: readonly ChangeFault[] };

const COMMIT_SKUS = commitPoint('catalog.skus');
const COMMIT_RULES = commitPoint('catalog.rules');

const absent = <T>(value: T | null): T | undefined => value ?? undefined;

/** Drops members that are undefined, so that lists show what was given. */
const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;

export class Catalog {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  async putSkus(changes: readonly SkuChange[]): Promise<Applied> {
    return this.#put(SKUS, changes);
  }

  async putNodes(changes: readonly NodeChange[]): Promise<Applied> {
    return this.#put(NODES, changes);
  }

  async putChannels(changes: readonly ChannelChange[]): Promise<Applied> {
    const named = changes.map(({ nodes }) => (nodes === undefined || nodes === 'all' ? [] : nodes));
    const known = await this.#keys('node', named.flat());
    const faults = named.flatMap((nodes, index): ChangeFault[] => {
      const value = nodes.find((code) => !known.has(code));
      return value === undefined ? [] : [{ index, member: 'nodes', ...unknown('node', value) }];
    });
    return faults.length > 0 ? { ok: false, faults } : this.#put(CHANNELS, changes);
  }

  /** Sets or, with quantity 0, removes rules. */
  async putThresholds(thresholds: readonly Threshold[]): Promise<Applied> {
    const keys = {
      channel: await this.#keys('channel', named(thresholds, 'channel')),
      node: await this.#keys('node', named(thresholds, 'node')),
      sku: await this.#keys('sku', named(thresholds, 'sku')),
    };
    const faults = thresholds.flatMap((threshold, index): ChangeFault[] => {
      const member = THRESHOLD_CODES.find(
        (kind) => !(threshold[kind] === undefined || keys[kind].has(threshold[kind])),
      );
      return member === undefined ? [] : [{ index, member, ...unknown(member, threshold[member] ?? '') }];
    });
    if (faults.length > 0) return { ok: false, faults };
    const key = (kind: keyof typeof keys, code: string | undefined): number | null =>
      code === undefined ? null : (keys[kind].get(code) ?? null);
    const last = await lastByCode(thresholds, ({ scope, channel, node, sku }) =>
      JSON.stringify([scope, channel, node, sku]),
    );
    await this.#inTurn(COMMIT_RULES, async (manager) => {
      let changed = 0;
      for (const { scope, channel, node, sku, quantity } of last.values()) {
        const at = [scope, key('channel', channel), key('node', node), key('sku', sku)];
        const sets = quantity > 0;
        const rows: unknown[] = await manager.query(
          sets ? SET_THRESHOLD : REMOVE_THRESHOLD,
          sets ? [...at, quantity] : at,
        );
        changed += rows.length;
      }
      if (changed > 0) await manager.query(STEP_EPOCH);
    });
    return { ok: true, applied: last.size };
  }

  async listSkus(limit: number, after = ''): Promise<CatalogPage<Sku>> {
    return this.#page(SkuEntity, limit, after, ({ code, title, gtin, weightGrams, category }) =>
      compact({
        sku: code,
        title: absent(title),
        gtin: absent(gtin),
        weightGrams: absent(weightGrams),
        category: absent(category),
      }),
    );
  }

  async listNodes(limit: number, after = ''): Promise<CatalogPage<Node>> {
    return this.#page(NodeEntity, limit, after, (row) =>
      compact({
        node: row.code,
        name: absent(row.name),
        type: row.type as Node['type'],
        gln: absent(row.gln),
        lat: absent(row.lat),
        lng: absent(row.lng),
        timeZone: row.timeZone,
        dailyCapacity: absent(row.dailyCapacity),
        activeFrom: row.activeFrom?.toISOString(),
        activeTo: row.activeTo?.toISOString(),
      }),
    );
  }

  async listChannels(limit: number, after = ''): Promise<CatalogPage<Channel>> {
    return this.#page(ChannelEntity, limit, after, (row) =>
      compact({
        channel: row.code,
        name: absent(row.name),
        type: row.type as Channel['type'],
        nodeTypes: row.nodeTypes as Channel['nodeTypes'],
        nodes: row.nodes,
      }),
    );
  }

  async listThresholds(limit: number, cursor = '0'): Promise<CatalogPage<Threshold>> {
    const rows: (Record<'channel' | 'node' | 'sku', string | null> & {
      scope: Threshold['scope'];
      quantity: number;
      key: number;
    })[] = await this.#dataSource.query(
      `SELECT t.threshold_key AS key, t.scope, t.quantity, c.code AS channel, n.code AS node, s.code AS sku
           FROM threshold t LEFT JOIN channel c USING (channel_key) LEFT JOIN node n USING (node_key) LEFT JOIN sku s USING (sku_key)
          WHERE t.threshold_key > $1 ORDER BY t.threshold_key LIMIT $2`,
      [/^\d{1,9}$/.test(cursor) ? Number(cursor) : 0, limit],
    );
    const items = rows.map(({ scope, quantity, channel, node, sku }) =>
      compact({ scope, channel: absent(channel), node: absent(node), sku: absent(sku), quantity }),
    );
    return { items, nextCursor: rows.length === limit ? String(rows.at(-1)?.key) : null };
  }

  async #page<E extends { code: string }, T>(
    entity: EntityTarget<E>,
    limit: number,
    after: string,
    show: (row: E) => T,
  ): Promise<CatalogPage<T>> {
    const rows = await this.#dataSource.getRepository<{ code: string }>(entity as EntityTarget<{ code: string }>).find({
      where: { code: MoreThan(after) },
      order: { code: 'ASC' },
      take: limit,
    });
    const last = rows.length === limit ? rows.at(-1) : undefined;
    return { items: (rows as E[]).map(show), nextCursor: last ? cursorAfter(last.code) : null };
  }

  async #put<E extends { code: string }, C>(kind: Kind<E, C>, changes: readonly C[]): Promise<Applied> {
    try {
      await this.#inTurn(kind.ruling.length > 0 ? COMMIT_RULES : COMMIT_SKUS, async (manager) => {
        const { faults, areRulesChanged } = await changeRows(manager, kind, changes);
        if (faults.length > 0) throw new Faulty(faults);
        if (areRulesChanged) await manager.query(STEP_EPOCH);
      });
    } catch (error) {
      if (error instanceof Faulty) return { ok: false, faults: error.faults };
      throw error;
    }
    return { ok: true, applied: new Set(changes.map(kind.codeOf)).size };
  }

  /** The epoch's row is locked first, so that changes take effect one after the other; whoever reads rules does not wait. */
  async #inTurn(point: Commit, apply: (manager: EntityManager) => Promise<void>): Promise<void> {
    await committing(point, () =>
      this.#dataSource.transaction(async (manager) => {
        await manager.query('SELECT FROM catalog_epoch FOR UPDATE');
        await apply(manager);
      }),
    );
  }

  async #keys(table: 'sku' | 'node' | 'channel', codes: readonly string[]): Promise<Map<string, number>> {
    if (codes.length === 0) return new Map();
    const rows: { key: number; code: string }[] = await this.#dataSource.query(
      `SELECT ${table}_key AS key, code FROM ${table} WHERE code = ANY($1::text[])`,
      [codes],
    );
    return new Map(rows.map(({ key, code }) => [code, key]));
  }
}

/** Thrown, so that the transaction leaves nothing behind. */
class Faulty extends Error {
  readonly faults: readonly ChangeFault[];

  constructor(faults: readonly ChangeFault[]) {
    super('Some of the changes cannot be applied');
    this.faults = faults;
  }
}

const THRESHOLD_CODES = ['channel', 'node', 'sku'] as const;
const NOUNS = { channel: 'channel', node: 'node', sku: 'SKU' } as const;
const unknown = (kind: keyof typeof NOUNS, value: string) => ({
  code: `${kind}.unknown`,
  message: () => `there is no ${NOUNS[kind]} ${value}`,
  value,
});

const STEP_EPOCH = 'UPDATE catalog_epoch SET epoch = epoch + 1';
/** Both tell a row if they changed one. */
const SET_THRESHOLD = `
  INSERT INTO threshold AS t (scope, channel_key, node_key, sku_key, quantity) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (scope, channel_key, node_key, sku_key) DO UPDATE SET quantity = excluded.quantity
     WHERE t.quantity <> excluded.quantity RETURNING 1`;
const REMOVE_THRESHOLD = `
  WITH removed AS (
    DELETE FROM threshold WHERE scope = $1 AND channel_key IS NOT DISTINCT FROM $2
       AND node_key IS NOT DISTINCT FROM $3 AND sku_key IS NOT DISTINCT FROM $4 RETURNING 1)
  SELECT * FROM removed`;

const STEPS_PER_SLICE = 2_000;

async function lastByCode<T>(items: readonly T[], codeOf: (item: T) => string): Promise<ReadonlyMap<string, T>> {
  const last = new Map<string, T>();
  const slices = new Slices(STEPS_PER_SLICE);
  for (const item of items) {
    last.set(codeOf(item), item);
    if (slices.isFull()) await slices.next();
  }
  return last;
}

const named = (thresholds: readonly Threshold[], kind: 'channel' | 'node' | 'sku'): string[] => [
  ...new Set(thresholds.flatMap((threshold) => threshold[kind] ?? [])),
];
