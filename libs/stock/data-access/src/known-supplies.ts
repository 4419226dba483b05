/**
 * Supplies as last seen, by SKU and version. A SKU's version steps with every change of its stock, so rows of the
 * version that is found under the gate are the rows that are there, and need not be read again.
 */
import type { SkuKey, SkuSupply } from '@onepool/stock-domain';

const REMEMBERED_MAX = 20_000;

export class KnownSupplies {
  readonly #known = new Map<SkuKey, { readonly version: number; readonly supply: SkuSupply }>();

  /** The version known of each SKU, −1 for none. */
  versionsOf(skus: readonly SkuKey[]): number[] {
    return skus.map((sku) => this.#known.get(sku)?.version ?? -1);
  }

  at(sku: SkuKey, version: number): SkuSupply | undefined {
    const known = this.#known.get(sku);
    return known?.version === version ? known.supply : undefined;
  }

  remember(supply: SkuSupply, version: number): void {
    if (this.#known.size >= REMEMBERED_MAX && !this.#known.has(supply.sku)) {
      const oldest = this.#known.keys().next();
      if (!oldest.done) this.#known.delete(oldest.value);
    }
    this.#known.set(supply.sku, { version, supply });
  }
}
