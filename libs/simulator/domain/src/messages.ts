/**
 * What the simulator says to the system and hears from it, as far as its rules look at it. A domain imports no contract:
 * the contract's types fit these by their shape, and the compiler checks so wherever data-access hands one to the other.
 */

interface Moved {
  sku: string;
  node: string;
  /** Units, at least 1; of an adjustment or of safety stock signed, not 0. */
  quantity: number;
  reason?: string;
}
type NamedState = 'available' | 'damaged' | 'quality_control' | 'safety_stock';
export type Movement =
  | (Moved & { type: 'sale' | 'receipt' | 'found' | 'damage' | 'adjustment' | 'safety_stock' })
  | (Moved & { type: 'transfer'; toNode: string; from?: NamedState })
  | (Moved & { type: 'scrap'; from?: NamedState })
  | (Moved & { type: 'state'; from: NamedState; to: NamedState });

export interface MovementsRequest {
  id: string;
  source: string;
  movements: Movement[];
}

export interface HoldRequest {
  id: string;
  channel: string;
  lines: { sku: string; quantity: number }[];
  allowPartial?: boolean;
  expiresInSeconds?: number;
}

export interface NodeOfRun {
  node: string;
  type: 'store' | 'warehouse';
}
export interface ChannelOfRun {
  channel: string;
  type: 'web' | 'pos';
  nodes: string[];
}

/** What an answer tells of a reservation: the units of each backing, by state. */
export interface Reservation {
  readonly id: string;
  readonly version: number;
  readonly lines: readonly {
    readonly sku: string;
    readonly backings: readonly {
      /** Null of units that stand at no node. */
      readonly node: string | null;
      readonly held: number;
      readonly confirmed: number;
      readonly fulfilled: number;
      readonly released: number;
      readonly expired: number;
      readonly cancelled: number;
      readonly broken: number;
    }[];
  }[];
}

/** The book of one SKU, by node, in units. */
export interface StockOfSku {
  readonly sku: string;
  readonly version: number;
  readonly rows: readonly {
    readonly node: string;
    readonly onHand: number;
    readonly overdrawn: number;
    readonly shortfall: number;
    readonly committed: number;
    readonly reserved: number;
    readonly damaged: number;
  }[];
}

/** How much the system takes at once; data-access reads it from the contract. */
export interface Limits {
  readonly linesMax: number;
  readonly quantityUnitsMax: number;
  readonly expiresInSecondsMax: number;
}
