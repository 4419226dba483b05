/**
 * The SKUs of a chunk whose rows are decided one by one, and what has to be written for them in the end. A SKU takes one version for
 * all of them.
 */
import {
  type FreeingTerms,
  NOBODY_WAITS,
  type Posting,
  type SkuKey,
  type SkuSupply,
  type Supplies,
  type SupplyEffect,
  type SupplyKey,
  consequencesOf,
  freeUnits,
  freedBy,
  isWaitedFor,
  leavesShort,
  noSupply,
  rowOf,
} from '@onepool/stock-domain';
import type pg from 'pg';
import { type LedgerOrigin, Writes } from '../../decision/batch-writes.ts';
import { withKeys } from '../../decision/new-rows.ts';
import { Views } from '../../requests/views.ts';
import { type SkuTuple, suppliesOf, tuplesSql } from '../../stock-columns.ts';
import { sendWrites } from '../../unit-of-work/write-batch.ts';
import type { ApplyContext, ChunkGates } from './chunk.ts';

/** What such chunks are applied with, besides. */
export interface DecidingContext extends ApplyContext {
  readonly schema: string;
}

export class ChunkBook {
  readonly writes = new Writes();
  readonly #before: Supplies;
  readonly #current: Map<SkuKey, SkuSupply>;
  readonly #newlyShort = new Set<SkuKey>();
  readonly #deferred = new Set<SkuKey>();
  readonly #gates: ChunkGates;
  readonly #versions: ReadonlyMap<SkuKey, number>;
  readonly #terms: FreeingTerms;
  readonly #newKeys: Iterator<SupplyKey>;

  /** `newKeys`: one for each row of the feed that may bring a row of the book into being. */
  constructor(supplies: Supplies, gates: ChunkGates, terms: FreeingTerms, newKeys: readonly SupplyKey[]) {
    this.#before = supplies;
    this.#current = new Map(supplies);
    this.#gates = gates;
    this.#versions = new Map(gates.skus.map((sku, index) => [sku, gates.versions[index] ?? 0]));
    this.#terms = terms;
    this.#newKeys = newKeys.values();
  }

  /** As the rows so far have left them. */
  get supplies(): Supplies {
    return this.#current;
  }

  supply(sku: SkuKey): SkuSupply {
    return this.#current.get(sku) ?? noSupply(sku);
  }

  /** What a row does to its SKU. Units that have come while somebody waits for the SKU are given out by a task, in slices. */
  apply(sku: SkuKey, { supplies, postings }: SupplyEffect, origin: LedgerOrigin): void {
    const before = this.supply(sku);
    for (const [key, supply] of supplies) this.#current.set(key, withKeys(supply, this.#newKeys));
    const deferring = this.#defer(before);
    if (deferring.length > 0) this.#deferred.add(sku);
    for (const posting of [...postings, ...deferring]) {
      if (leavesShort(posting)) this.#newlyShort.add(sku);
      const { key } = rowOf(this.supply(sku), posting.at);
      this.writes.post(posting, key, this.#versionOf(sku), origin);
    }
  }

  /** Sends all that follows from the rows; to be awaited before the transaction ends. */
  send(client: pg.PoolClient, trace: string | null, { schema, partitionCount }: DecidingContext): Promise<unknown> {
    for (const [sku, supply] of this.#current) {
      const before = this.#before.get(sku);
      if (!before || before === supply) continue;
      const newlyShort = this.#newlyShort.has(sku);
      const { rows, needsLook, beginsAnew } = consequencesOf(before, supply, { newlyShort });
      this.writes.changeRows(before, rows);
      this.writes.changedSkus.push({ sku, rows, version: this.#versionOf(sku), trace });
      if (needsLook) this.writes.tendLater(sku, beginsAnew ? { below: null } : {});
      if (this.#deferred.has(sku)) this.writes.tendLater(sku, { after: null });
    }
    const { rules, now } = this.#terms;
    const facts = { now, views: viewsOf(this.#gates, rules), versionsBefore: this.#versions };
    return Promise.all(sendWrites(client, this.writes, { ...facts, schema, partitionCount }));
  }

  #versionOf(sku: SkuKey): number {
    return (this.#versions.get(sku) ?? 0) + 1;
  }

  #defer(before: SkuSupply): readonly Posting[] {
    const { sku } = before;
    const freed = isWaitedFor(before) ? freedBy(before, this.supply(sku)) : [];
    if (freed.length === 0) return [];
    const { effect } = freeUnits(sku, freed, { ...NOBODY_WAITS, hasMore: true }, this.#current, this.#terms);
    for (const [key, supply] of effect.supplies) this.#current.set(key, supply);
    return effect.postings;
  }
}

/** Codes of a chunk's SKUs are known by its gates. */
export function viewsOf({ skus, codes }: ChunkGates, rules: FreeingTerms['rules']): Views {
  const bySku = new Map(skus.map((sku, index) => [sku, codes[index] ?? '']));
  return new Views(rules, { codeOf: (sku) => bySku.get(sku) ?? '' });
}

export async function readSupplies(client: pg.PoolClient, skus: readonly SkuKey[]): Promise<Supplies> {
  const { rows } = await client.query<{ tuples: SkuTuple[] | null }>(
    `SELECT json_agg(s.units) AS tuples FROM (${tuplesSql('sku_key = ANY($1::int[])')}) s`,
    [skus],
  );
  const bySku = suppliesOf(rows[0]?.tuples ?? null);
  return new Map(skus.map((sku) => [sku, bySku.get(sku) ?? noSupply(sku)]));
}
