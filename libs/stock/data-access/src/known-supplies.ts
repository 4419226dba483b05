/**
 * Supplies as last seen, by SKU and version. A SKU's version steps with every change of its stock, so rows of the
 * version that is found under the gate are the rows that are there, and need not be read again.
 */
import type { SkuKey, SkuSupply } from '@onepool/stock-domain';
import { RowBoundedMap } from './row-bounded-map.ts';

/** About 40 MB. */
const REMEMBERED_MAX = { entries: 20_000, rows: 400_000 };

export interface KnownSupply {
  /** −1 when nothing is known. */
  readonly version: number;
  readonly supply: SkuSupply | undefined;
}

const NOTHING: KnownSupply = { version: -1, supply: undefined };

export class KnownSupplies {
  readonly #known = new RowBoundedMap<SkuKey, KnownSupply>(REMEMBERED_MAX, ({ supply }) => supply?.rows.length ?? 0);

  /**
   * What is known of each SKU now. A batch asks for the rows of other versions and completes the answer with this very
   * list: meanwhile another batch may replace or forget what is known here.
   */
  look(skus: readonly SkuKey[]): readonly KnownSupply[] {
    return skus.map((sku) => this.#known.get(sku) ?? NOTHING);
  }

  /** After a lost connection the database may be another one, in which versions mean other rows. */
  forget(): void {
    this.#known.clear();
  }

  remember(supply: SkuSupply, version: number): void {
    this.#known.set(supply.sku, { version, supply });
  }
}
