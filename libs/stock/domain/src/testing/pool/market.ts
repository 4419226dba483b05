/** Who may sell from where and when, and which units are kept from whom. */

export interface Market {
  readonly nodes: readonly number[];
  readonly sells: (channel: number, node: number, now: number) => boolean;
  readonly hiddenAt: (channel: number, node: number) => number;
  readonly hiddenFrom: (channel: number) => number;
  /** Units that may be promised of which nothing is known to come, those that one node alone may serve first; 0: any node. */
  readonly allowances: (sku: number) => readonly { readonly node: number; readonly cap: number }[];
}

/** What is sold no more where it matches; null matches all. */
export interface Halt {
  readonly sku: number | null;
  readonly node: number | null;
  readonly channel: number | null;
  readonly drains: boolean;
  readonly until: number | null;
}

/** Units that are a group's; null is all nodes, or all SKUs. */
export interface Kept {
  readonly key: number;
  readonly channels: readonly number[];
  readonly nodes: readonly number[] | null;
  readonly skus: readonly number[] | null;
  readonly isShare: boolean;
  readonly quantity: number;
  readonly until: number | null;
}

/** What changes about a market as a history goes on. */
export class Limits {
  halts: readonly Halt[] = [];
  /** Those of so many units first, each kind by age. */
  kept: readonly Kept[] = [];

  isHalted(sku: number, channel: number, node: number, now: number, onlyDraining = false): boolean {
    return this.halts.some(
      (one) =>
        (one.sku ?? sku) === sku &&
        (one.node ?? node) === node &&
        (one.channel ?? channel) === channel &&
        (one.until === null || now < one.until) &&
        (one.drains || !onlyDraining),
    );
  }

  keptAt(sku: number, node: number, now: number): readonly Kept[] {
    if (this.kept.length === 0) return this.kept;
    return this.kept.filter(
      ({ nodes, skus, until }) =>
        (nodes?.includes(node) ?? true) && (skus?.includes(sku) ?? true) && (until === null || now < until),
    );
  }
}
