/** The supply of one SKU across nodes, and a draft in which one decision tries its changes before they count. */
import type { RowChange } from './arithmetic.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { Posting } from './posting.ts';
import { type StockRow, emptyRow } from './stock-row.ts';

export interface SkuSupply {
  readonly sku: SkuKey;
  readonly rows: readonly StockRow[];
}

export type Supplies = ReadonlyMap<SkuKey, SkuSupply>;

export const rowAt = (supply: SkuSupply, node: NodeKey): StockRow =>
  supply.rows.find((row) => row.node === node) ?? emptyRow(node);

export const shortfallOf = (supply: SkuSupply): number => supply.rows.reduce((sum, row) => sum + row.shortfall, 0);
export const availableOf = (supply: SkuSupply): number => supply.rows.reduce((sum, row) => sum + row.available, 0);

function withRow(supply: SkuSupply, row: StockRow): SkuSupply {
  const at = supply.rows.findIndex(({ node }) => node === row.node);
  return { sku: supply.sku, rows: at < 0 ? [...supply.rows, row] : supply.rows.with(at, row) };
}

/**
 * Changes over a base that stays as it is: dropping the draft gives every tentative unit back, so that a cart that
 * fails leaves its units to later requests of the batch.
 */
export class SupplyDraft {
  readonly #base: Supplies;
  readonly #changed = new Map<SkuKey, SkuSupply>();
  readonly #postings: Posting[] = [];

  constructor(base: Supplies) {
    this.#base = base;
  }

  /** The supply of a SKU as the draft has it; a SKU outside the base is a broken invariant (its gate isn't locked). */
  supply(sku: SkuKey): SkuSupply {
    const found = this.#changed.get(sku) ?? this.#base.get(sku);
    if (!found) throw new Error(`Broken invariant: SKU ${sku} was decided on without its gate`);
    return found;
  }

  change(sku: SkuKey, node: NodeKey, decide: (row: StockRow) => RowChange): void {
    const before = this.supply(sku);
    const { row, transfers } = decide(rowAt(before, node));
    this.#changed.set(sku, withRow(before, row));
    for (const transfer of transfers) this.#postings.push({ ...transfer, sku, node });
  }

  effect(): SupplyEffect {
    return { supplies: this.#changed, postings: this.#postings };
  }
}

/** What a decision does to the book: the new supplies and the postings that lead there. */
export interface SupplyEffect {
  readonly supplies: Supplies;
  readonly postings: readonly Posting[];
}
