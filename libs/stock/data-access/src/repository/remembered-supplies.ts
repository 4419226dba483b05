/**
 * Supplies as last seen, by SKU and version. A SKU's version steps with every change of its stock, so rows of the version that
 * is found under the gate are the rows that are there, and need not be read again.
 */
import { LRUCache } from 'lru-cache';
import { type SkuKey, type SkuSupply, noSupply } from '@onepool/stock-domain';

/** About 40 MB: a SKU is in as many rows as there are nodes that stock it. */
const BOUNDS = { entries: 20_000, rows: 400_000 };

export interface Remembered {
  /** −1 when nothing is remembered. */
  readonly version: number;
  readonly supply: SkuSupply | undefined;
}

const NOTHING: Remembered = { version: -1, supply: undefined };

export class RememberedSupplies {
  readonly #bySku: LRUCache<SkuKey, Remembered>;

  constructor(bounds = BOUNDS) {
    this.#bySku = new LRUCache({
      max: bounds.entries,
      maxSize: bounds.rows,
      sizeCalculation: ({ supply }) => (supply ? sizeOf(supply) : 1),
    });
  }

  /**
   * What is remembered of each SKU now. A batch asks for the rows of other versions and completes the answer with this very
   * list: meanwhile another batch may replace or forget what is remembered here.
   */
  look(skus: readonly SkuKey[]): readonly Remembered[] {
    return skus.map((sku) => this.#bySku.get(sku) ?? NOTHING);
  }

  /** After a lost connection the database may be another one, in which versions mean other rows. */
  forget(): void {
    this.#bySku.clear();
  }

  remember(supply: SkuSupply, version: number): void {
    this.#bySku.set(supply.sku, { version, supply });
  }
}

const sizeOf = ({ rows, future, inbound, limits }: SkuSupply): number =>
  Math.max(
    1,
    rows.length + future.length + inbound.length + (limits ? limits.fenceUses.length + limits.stops.length : 0),
  );

/** Rows were asked for where the version is not the one that was `looked` at, so only there may they be missing. */
export function completeSupplies(
  skus: readonly SkuKey[],
  versions: ReadonlyMap<SkuKey, number>,
  looked: readonly Remembered[],
  changed: ReadonlyMap<SkuKey, SkuSupply>,
  memory: RememberedSupplies,
): Map<SkuKey, SkuSupply> {
  const supplies = new Map<SkuKey, SkuSupply>();
  for (const [index, sku] of skus.entries()) {
    const version = versions.get(sku) ?? 0;
    const at = looked[index];
    const remembered = at?.version === version ? at.supply : undefined;
    const supply = remembered ?? changed.get(sku) ?? noSupply(sku);
    if (!remembered) memory.remember(supply, version);
    supplies.set(sku, supply);
  }
  return supplies;
}
