/**
 * A correct pool in a hundred lines, for tests only: it grants what is free, nearest node first, and moves what a
 * physical event broke. It shares no code with the engine or with the auditor.
 */
import type { StockRow } from '@onepool/contracts';

export interface Backed {
  readonly sku: string;
  readonly node: string;
  readonly quantity: number;
}
export interface Moved extends Backed {
  readonly reservation: string;
  readonly to: string;
}
interface Row {
  sellable: number;
  damaged: number;
  overdrawn: number;
}

export class ModelPool {
  readonly #nodes: readonly string[];
  readonly #rows = new Map<string, Row>();
  /** Open units by reservation, then by `sku\nnode`. */
  readonly #open = new Map<string, Map<string, number>>();
  readonly #promised = new Map<string, number>();

  constructor(nodes: readonly string[]) {
    this.#nodes = nodes;
  }

  row(sku: string, node: string): Row {
    const key = `${sku}\n${node}`;
    const row = this.#rows.get(key) ?? { sellable: 0, damaged: 0, overdrawn: 0 };
    this.#rows.set(key, row);
    return row;
  }

  promised(sku: string, node: string): number {
    return this.#promised.get(`${sku}\n${node}`) ?? 0;
  }

  free(sku: string, node: string): number {
    return Math.max(0, this.row(sku, node).sellable - this.promised(sku, node));
  }

  freeAnywhere(sku: string): number {
    return this.#nodes.reduce((sum, node) => sum + this.free(sku, node), 0);
  }

  /** Grants all lines (or, if partial, what there is of each); undefined is a refusal. */
  hold(id: string, lines: ReadonlyMap<string, number>, allowPartial: boolean): Backed[] | undefined {
    const backed: Backed[] = [];
    for (const [sku, wanted] of lines) {
      let left = Math.min(wanted, this.freeAnywhere(sku));
      if (left < wanted && !allowPartial) return undefined;
      for (const node of this.#nodes) {
        const quantity = Math.min(left, this.free(sku, node));
        if (quantity > 0) backed.push({ sku, node, quantity });
        left -= quantity;
      }
    }
    if (backed.length === 0) return undefined;
    this.put(id, backed);
    return backed;
  }

  put(id: string, backed: readonly Backed[]): void {
    const open = this.#open.get(id) ?? new Map<string, number>();
    this.#open.set(id, open);
    for (const { sku, node, quantity } of backed) {
      const key = `${sku}\n${node}`;
      open.set(key, (open.get(key) ?? 0) + quantity);
      this.#promised.set(key, (this.#promised.get(key) ?? 0) + quantity);
    }
  }

  open(id: string): Backed[] {
    return [...(this.#open.get(id) ?? [])]
      .map(([key, quantity]) => ({ sku: key.split('\n')[0] ?? '', node: key.split('\n')[1] ?? '', quantity }))
      .filter(({ quantity }) => quantity > 0);
  }

  giveBack(id: string, units: readonly Backed[]): void {
    this.put(
      id,
      units.map((one) => ({ ...one, quantity: -one.quantity })),
    );
  }

  fulfil(id: string, units: readonly Backed[]): void {
    this.giveBack(id, units);
    for (const { sku, node, quantity } of units) this.take(sku, node, quantity);
  }

  supply(sku: string, node: string, quantity: number): void {
    const row = this.row(sku, node);
    const netted = Math.min(quantity, row.overdrawn);
    row.overdrawn -= netted;
    row.sellable += quantity - netted;
  }

  take(sku: string, node: string, quantity: number): void {
    const row = this.row(sku, node);
    const sold = Math.min(quantity, row.sellable);
    const fromDamaged = Math.min(quantity - sold, row.damaged);
    row.sellable -= sold;
    row.damaged -= fromDamaged;
    row.overdrawn += quantity - sold - fromDamaged;
  }

  damage(sku: string, node: string, quantity: number): boolean {
    const row = this.row(sku, node);
    if (row.sellable < quantity) return false;
    row.sellable -= quantity;
    row.damaged += quantity;
    return true;
  }

  /** Moves promised units of short rows to nodes that have free ones. */
  heal(sku: string): Moved[] {
    const moves: Moved[] = [];
    const short = this.#nodes.some((node) => this.promised(sku, node) > this.row(sku, node).sellable);
    if (!short || this.freeAnywhere(sku) === 0) return moves;
    for (const [reservation, open] of this.#open) {
      for (const node of this.#nodes) {
        for (const to of this.#nodes) {
          const missing = this.promised(sku, node) - this.row(sku, node).sellable;
          const quantity = Math.min(missing, open.get(`${sku}\n${node}`) ?? 0, this.free(sku, to));
          if (to === node || quantity <= 0) continue;
          this.giveBack(reservation, [{ sku, node, quantity }]);
          this.put(reservation, [{ sku, node: to, quantity }]);
          moves.push({ reservation, sku, node, to, quantity });
        }
      }
    }
    return moves;
  }

  stockRows(sku: string): StockRow[] {
    return this.#nodes.map((node) => {
      const { sellable, damaged, overdrawn } = this.row(sku, node);
      const promised = this.promised(sku, node);
      return {
        node,
        onHand: sellable + damaged,
        available: Math.max(0, sellable - promised),
        committed: 0,
        reserved: promised,
        safetyStock: 0,
        damaged,
        qualityControl: 0,
        shortfall: Math.max(0, promised - sellable),
        overdrawn,
        unapplied: 0,
      };
    });
  }
}
