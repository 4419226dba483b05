/** Commands of a history, with all their choices made. */
import type { StockMovement } from '../../decide-movements.ts';
import type { RejectEffect } from '../../decide-reject.ts';
import type { Stage } from '../../reservation.ts';
import type { CountedState } from '../../stock-states.ts';
import type { StopChange } from '../../stop.ts';
import type { Wanted } from './amending.ts';
import type { Kept } from './market.ts';
import type { Move } from './moving.ts';
import type { Which } from './piles.ts';
import type { Coming } from './pool.ts';
import type { Arrival } from './receiving.ts';
import type { Wish } from './showing.ts';

/** What is asked. Reservations have numbers. */
export type Command =
  | {
      readonly kind: 'hold';
      readonly reservation: number;
      readonly channel: number;
      readonly lines: readonly (Wish & { readonly id: string })[];
      readonly allowPartial: boolean;
      readonly isSold: boolean;
      readonly priority: number;
    }
  | { readonly kind: 'confirm'; readonly reservation: number; readonly reacquire: boolean }
  | { readonly kind: 'extend'; readonly reservation: number }
  | {
      readonly kind: 'leave';
      readonly verb: 'release' | 'cancel' | 'fulfil';
      readonly reservation: number;
      readonly parts: readonly Which[] | null;
    }
  | {
      readonly kind: 'allocate';
      readonly parts: readonly {
        readonly reservation: number;
        readonly version: number;
        readonly moves: readonly Move[];
      }[];
      readonly isByHand: boolean;
    }
  | {
      readonly kind: 'amend';
      readonly reservation: number;
      readonly version: number;
      readonly lines: readonly Wanted[];
      /** Null: it stays with its own. */
      readonly channel: number | null;
      readonly isByHand: boolean;
    }
  | { readonly kind: 'acknowledge'; readonly reservation: number; readonly units: Which; readonly stage: Stage }
  | {
      readonly kind: 'reject';
      readonly reservation: number;
      readonly units: Which;
      readonly effect: RejectEffect;
      readonly moveTo: Move['to'] | null;
      readonly isByHand: boolean;
    }
  | { readonly kind: 'give-up'; readonly reservation: number; readonly parts: readonly Which[] }
  | {
      readonly kind: 'unfulfil';
      readonly reservation: number;
      readonly parts: readonly Which[];
    }
  | {
      readonly kind: 'attach';
      readonly reservation: number;
      readonly expected: string | null;
      readonly order: string | null;
    }
  /** The engine looks after the promises of a SKU; all that is free is offered if others may have it than before. */
  | { readonly kind: 'tend'; readonly sku: number; readonly offersAll: boolean }
  /** Promises are moved from where they may not stay. */
  | { readonly kind: 'drain'; readonly sku: number }
  /** Somebody looks at what has run out, and asks nothing. */
  | { readonly kind: 'expire'; readonly skus: readonly number[] }
  /** Nothing more of a SKU is promised there, or it is again. */
  | ({ readonly kind: 'halt'; readonly sku: number } & Omit<StopChange, 'until'>)
  /** Another fence takes the place of one, or none does. */
  | { readonly kind: 'keep'; readonly slot: number; readonly fence: Kept | null }
  /** A source has counted, so many milliseconds before it tells. */
  | {
      readonly kind: 'count';
      readonly sku: number;
      readonly node: number;
      readonly units: number;
      /** Of which it counts them; null: of all that is there. */
      readonly state: CountedState | null;
      /** Of availability: from which stage on its source leaves out what its node works on. Null: of all that is there. */
      readonly stage: Stage | null;
      readonly agoMs: number;
    }
  /** So many units of a line are still to come, besides those that it has brought, or nothing any more. */
  | {
      readonly kind: 'announce';
      readonly line: number;
      readonly sku: number;
      readonly node: number;
      readonly dueAt: number | null;
      readonly received: number;
      readonly units: number;
      readonly isClosed: boolean;
    }
  | {
      readonly kind: 'receive';
      readonly sku: number;
      readonly node: number;
      /** Null: nobody has announced them. */
      readonly line: { readonly detail: number; readonly brings: Coming['brings'] } | null;
      readonly units: number;
      /** Null: as they have travelled. */
      readonly damaged: number | null;
      readonly toInspection: boolean;
      /** Whether nothing more comes of the line, even if it has not brought all. */
      readonly closes: boolean;
      readonly expected: Arrival;
    }
  | {
      readonly kind: 'ship';
      readonly sku: number;
      readonly from: number;
      readonly to: number;
      readonly line: number;
      /** Whether it is the first leg of its line. */
      readonly isNew: boolean;
      readonly dueAt: number | null;
      readonly units: number;
      readonly state: 'available' | 'damaged' | 'quality_control' | null;
      readonly rider: { readonly reservation: number; readonly units: Which } | null;
    }
  /** Units of an inspection, by its number, are sound or are not. */
  | {
      readonly kind: 'inspect';
      readonly inspection: number;
      readonly sku: number;
      readonly approved: number;
      readonly rejected: number;
    }
  | ({ readonly kind: 'movement' } & StockMovement);
