/**
 * Pages of lists and snapshots, in an order that never changes for a row: by its code, or by when it was first set. A page ends
 * early where its rows would take more than 512 kB, which NATS and many a caller bear.
 */
import { PAGE_BYTES_MAX, type Price, type SnapshotPage, type Threshold, cutPage } from '@onepool/contracts';
import { factKey } from '@onepool/platform-messaging';
import type { UnitOfWork } from '@onepool/platform-unit-of-work';
import type pg from 'pg';
import { type EntityManager, type EntityTarget, MoreThan } from 'typeorm';
import { cursorAfter } from './code-cursor.ts';
import type { Kind } from './kinds.ts';
import { asTold, priceAggregate, priceKey, readPrices } from './prices.ts';
import { aggregateOf, readThresholds, thresholdKey } from './thresholds.ts';

export interface CatalogPage<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** Where a page begins, as its source says it, and how many rows it may have. */
export interface Wanted {
  readonly after: string;
  readonly limit: number;
}

interface Row<V> {
  /** Never changes. */
  readonly key: string;
  /** Null for one that was removed. */
  readonly value: V | null;
  /** What the next page begins after if this is the last row. */
  readonly after: string;
}

type Connection = { readonly manager: EntityManager; readonly client: Pick<pg.ClientBase, 'query'> };

export interface Source<V> {
  readonly read: (at: Connection, wanted: Wanted) => Promise<readonly Row<V>[]>;
  readonly cursorAfter: (after: string) => string;
  /** The key of a row's facts. */
  readonly aggregateOf: (key: string) => string;
}

export const rowsOf = <E extends { code: string }, C, V>({ entity, shown, noun }: Kind<E, C, V>): Source<V> => ({
  read: async ({ manager }, { after, limit }) => {
    const repository = manager.getRepository<{ code: string }>(entity as EntityTarget<{ code: string }>);
    const rows = await repository.find({ where: { code: MoreThan(after) }, order: { code: 'ASC' }, take: limit });
    return (rows as E[]).map((row) => ({ key: row.code, value: shown(row), after: row.code }));
  },
  cursorAfter,
  aggregateOf: (code) => factKey(noun, code),
});

export const thresholdRows = (withRemoved: boolean): Source<Threshold> => ({
  read: async ({ client }, { after, limit }) => {
    const rows = await readThresholds(client, { after: Number(after), limit, withRemoved });
    return rows.map(({ key, threshold }) => ({
      key: thresholdKey(threshold),
      value: threshold.quantity === 0 ? null : threshold,
      after: String(key),
    }));
  },
  cursorAfter: (after) => after,
  aggregateOf,
});

export const priceRows = (withRemoved: boolean): Source<Price> => ({
  read: async ({ client }, { after, limit }) => {
    const rows = await readPrices(client, { after: Number(after), limit, withRemoved });
    return rows.map(({ at, price }) => ({ ...asTold(priceKey(price), price), after: String(at) }));
  },
  cursorAfter: (after) => after,
  aggregateOf: priceAggregate,
});

/** Rows may be large: so many are read at once, and then looked at. */
const ROWS_AT_ONCE = 100;

/** One row more than fit, where there are more. */
async function filled<V>({ read }: Source<V>, at: Connection, { after, limit }: Wanted): Promise<readonly Row<V>[]> {
  const rows: Row<V>[] = [];
  for (let bytes = 0; rows.length <= limit && bytes <= PAGE_BYTES_MAX;) {
    const count = Math.min(limit + 1 - rows.length, ROWS_AT_ONCE);
    const some = await read(at, { after: rows.at(-1)?.after ?? after, limit: count });
    rows.push(...some);
    // Without keys and versions, so that what is more than a page here is more than one there as well.
    for (const { value } of some) bytes += Buffer.byteLength(JSON.stringify(value));
    if (some.length < count) break;
  }
  return rows;
}

/** Every row, some at a time, each lot as of when it is read. */
export async function* everyRow<V>({ read }: Source<V>, at: Connection): AsyncGenerator<readonly V[]> {
  for (let after = ''; ;) {
    const rows = await read(at, { after, limit: ROWS_AT_ONCE });
    yield rows.flatMap(({ value }) => value ?? []);
    const last = rows.at(-1);
    if (last === undefined || rows.length < ROWS_AT_ONCE) return;
    after = last.after;
  }
}

export async function listPage<V>(source: Source<V>, at: Connection, wanted: Wanted): Promise<CatalogPage<V>> {
  const rows = await filled(source, at, wanted);
  const { items, nextCursor } = cut(source, rows, wanted.limit, '', new Map());
  return { items: items.flatMap(({ value }) => value ?? []), nextCursor };
}

/** Rows and versions of one moment. `position` was read before. */
export async function snapshotPage<V>(
  source: Source<V>,
  units: UnitOfWork,
  position: string,
  wanted: Wanted,
): Promise<SnapshotPage<V>> {
  return units.look(async ({ manager, client, versionsOf }) => {
    const rows = await filled(source, { manager, client }, wanted);
    const versions = await versionsOf(rows.map(({ key }) => source.aggregateOf(key)));
    return cut(source, rows, wanted.limit, position, versions);
  });
}

function cut<V>(
  { cursorAfter: cursorOf, aggregateOf: factsOf }: Source<V>,
  rows: readonly Row<V>[],
  limit: number,
  position: string,
  versions: ReadonlyMap<string, number>,
): SnapshotPage<V> {
  const items = rows.map(({ key, value }) => ({ key, version: versions.get(factsOf(key)) ?? 0, value }));
  const places = new Map(rows.map(({ key, after }) => [key, after]));
  return cutPage(position, items, limit, (key) => cursorOf(places.get(key) ?? ''));
}
