/**
 * SKUs, nodes, channels and thresholds: created or replaced by code, listed by code. Each call is one transaction, and
 * whatever changes who may sell what from where steps the epoch.
 */
import type { Channel, Node, Sku, Threshold } from '@onepool/contracts';
import { Slices, sortedInSlices, timeOf } from '@onepool/platform-clock';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { type DataSource, type EntityManager, type EntityTarget, MoreThan, type ObjectLiteral } from 'typeorm';
import { ChannelEntity, NodeEntity, SkuEntity } from './entities.ts';

export interface CatalogPage<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** A code that a threshold or a channel names and that does not exist. */
export interface UnknownCode {
  readonly code: 'sku.unknown' | 'node.unknown' | 'channel.unknown';
  readonly value: string;
}

export type Applied = { readonly ok: true; readonly applied: number } | ({ readonly ok: false } & UnknownCode);

const SKUS = commitPoint('catalog.skus');
const RULES = commitPoint('catalog.rules');

const absent = <T>(value: T | null): T | undefined => value ?? undefined;

/** Drops members that are undefined, so that lists show what was given. */
const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;

export class Catalog {
  readonly #dataSource: DataSource;

  constructor(dataSource: DataSource) {
    this.#dataSource = dataSource;
  }

  /** Creates or replaces; of rows with the same code the last wins. SKUs do not touch selling rules: no epoch. */
  async putSkus(skus: readonly Sku[]): Promise<Applied> {
    const last = await lastByCode(skus, ({ sku }) => sku);
    const rowOf = ({ sku, ...rest }: Sku) => ({
      code: sku,
      title: rest.title ?? null,
      gtin: rest.gtin ?? null,
      weightGrams: rest.weightGrams ?? null,
      category: rest.category ?? null,
    });
    await committing(SKUS, () => this.#dataSource.transaction((manager) => replace(manager, SkuEntity, last, rowOf)));
    return { ok: true, applied: last.size };
  }

  async putNodes(nodes: readonly Node[]): Promise<Applied> {
    const date = (text: string | undefined): Date | null => (text === undefined ? null : new Date(timeOf(text)));
    const last = await lastByCode(nodes, ({ node }) => node);
    const rowOf = ({ node, ...rest }: Node) => ({
      code: node,
      name: rest.name ?? null,
      type: rest.type,
      gln: rest.gln ?? null,
      lat: rest.lat ?? null,
      lng: rest.lng ?? null,
      timeZone: rest.timeZone ?? 'UTC',
      dailyCapacity: rest.dailyCapacity ?? null,
      activeFrom: date(rest.activeFrom),
      activeTo: date(rest.activeTo),
    });
    await this.#change((manager) => replace(manager, NodeEntity, last, rowOf));
    return { ok: true, applied: last.size };
  }

  async putChannels(channels: readonly Channel[]): Promise<Applied> {
    const last = await lastByCode(channels, ({ channel }) => channel);
    const rowOf = ({ channel, ...rest }: Channel) => ({
      code: channel,
      name: rest.name ?? null,
      type: rest.type,
      nodeTypes: rest.nodeTypes ?? null,
      nodes: rest.nodes ?? null,
    });
    const [unknown] = await this.unknownNodes([...last.values()].flatMap(({ nodes }) => nodes ?? []));
    if (unknown !== undefined) return { ok: false, code: 'node.unknown', value: unknown };
    await this.#change((manager) => replace(manager, ChannelEntity, last, rowOf));
    return { ok: true, applied: last.size };
  }

  /** Of these codes the ones that name no node, each once. */
  async unknownNodes(codes: readonly string[]): Promise<readonly string[]> {
    const distinct = [...new Set(codes)];
    const known = await this.#keys('node', distinct);
    return distinct.filter((code) => !known.has(code));
  }

  /** Sets or, with quantity 0, removes rules. */
  async putThresholds(thresholds: readonly Threshold[]): Promise<Applied> {
    const keys = {
      channel: await this.#keys('channel', named(thresholds, 'channel')),
      node: await this.#keys('node', named(thresholds, 'node')),
      sku: await this.#keys('sku', named(thresholds, 'sku')),
    };
    for (const threshold of thresholds) {
      for (const kind of ['channel', 'node', 'sku'] as const) {
        const value = threshold[kind];
        if (value !== undefined && !keys[kind].has(value)) return { ok: false, code: `${kind}.unknown`, value };
      }
    }
    const key = (kind: keyof typeof keys, code: string | undefined): number | null =>
      code === undefined ? null : (keys[kind].get(code) ?? null);
    const last = await lastByCode(thresholds, ({ scope, channel, node, sku }) =>
      JSON.stringify([scope, channel, node, sku]),
    );
    await this.#change(async (manager) => {
      for (const { scope, channel, node, sku, quantity } of last.values()) {
        const at = [scope, key('channel', channel), key('node', node), key('sku', sku)];
        await manager.query(quantity > 0 ? SET_THRESHOLD : REMOVE_THRESHOLD, quantity > 0 ? [...at, quantity] : at);
      }
    });
    return { ok: true, applied: last.size };
  }

  async listSkus(limit: number, cursor = ''): Promise<CatalogPage<Sku>> {
    return this.#page(SkuEntity, limit, cursor, ({ code, title, gtin, weightGrams, category }) =>
      compact({
        sku: code,
        title: absent(title),
        gtin: absent(gtin),
        weightGrams: absent(weightGrams),
        category: absent(category),
      }),
    );
  }

  async listNodes(limit: number, cursor = ''): Promise<CatalogPage<Node>> {
    return this.#page(NodeEntity, limit, cursor, (row) =>
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

  async listChannels(limit: number, cursor = ''): Promise<CatalogPage<Channel>> {
    return this.#page(ChannelEntity, limit, cursor, (row) =>
      compact({
        channel: row.code,
        name: absent(row.name),
        type: row.type as Channel['type'],
        nodeTypes: absent(row.nodeTypes) as Channel['nodeTypes'],
        nodes: absent(row.nodes),
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
    cursor: string,
    show: (row: E) => T,
  ): Promise<CatalogPage<T>> {
    const rows = await this.#dataSource.getRepository<{ code: string }>(entity as EntityTarget<{ code: string }>).find({
      where: { code: MoreThan(cursor) },
      order: { code: 'ASC' },
      take: limit,
    });
    const last = rows.length === limit ? rows.at(-1) : undefined;
    return { items: (rows as E[]).map(show), nextCursor: last?.code ?? null };
  }

  /** The epoch's row is locked first, so that changes of rules commit one after the other. */
  async #change(apply: (manager: EntityManager) => Promise<void>): Promise<void> {
    await committing(RULES, () =>
      this.#dataSource.transaction(async (manager) => {
        await manager.query('UPDATE catalog_epoch SET epoch = epoch + 1');
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

const SET_THRESHOLD = `
  INSERT INTO threshold (scope, channel_key, node_key, sku_key, quantity) VALUES ($1, $2, $3, $4, $5)
  ON CONFLICT (scope, channel_key, node_key, sku_key) DO UPDATE SET quantity = excluded.quantity`;
const REMOVE_THRESHOLD = `
  DELETE FROM threshold WHERE scope = $1 AND channel_key IS NOT DISTINCT FROM $2
     AND node_key IS NOT DISTINCT FROM $3 AND sku_key IS NOT DISTINCT FROM $4`;

/** A statement carries at most 65,535 parameters, and putting one together is work too: of a few milliseconds for these. */
const ROWS_PER_STATEMENT = 250;
const STEPS_PER_SLICE = 2_000;

/** In the order of codes, so that two imports at once take their row locks in the same order. */
async function replace<E extends ObjectLiteral & { code: string }, T>(
  manager: EntityManager,
  entity: EntityTarget<E>,
  byCode: ReadonlyMap<string, T>,
  rowOf: (item: T) => Omit<E, 'key'>,
): Promise<void> {
  const inOrder = (a: readonly [string, T], b: readonly [string, T]): number => (a[0] < b[0] ? -1 : 1);
  const sorted = await sortedInSlices([...byCode], inOrder, new Slices(STEPS_PER_SLICE));
  for (let from = 0; from < sorted.length; from += ROWS_PER_STATEMENT) {
    const values: ObjectLiteral[] = sorted.slice(from, from + ROWS_PER_STATEMENT).map(([, item]) => rowOf(item));
    await manager.upsert(entity as EntityTarget<ObjectLiteral>, values, { conflictPaths: ['code'] });
  }
}

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
