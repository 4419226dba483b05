/** What all commit queues of one engine share. */
import type pg from 'pg';
import type { CodeBook } from '../catalogue/code-book.ts';
import type { RulesSource } from '../catalogue/rules-source.ts';
import type { DatabaseClock } from '../repository/database-clock.ts';
import type { RememberedSupplies } from '../repository/remembered-supplies.ts';
import type { SupplyKeys } from '../repository/supply-keys.ts';
import type { ReservationKeys } from '../repository/reservation-keys.ts';

export interface DecisionHooks {
  /** How a batch was decided: on what was remembered, predicted or read, or under locks. */
  readonly onDecided?: (how: 'optimistic' | 'locked') => void;
  /** A batch was sent that rests on what another, still in flight, will have written. */
  readonly onChained?: () => void;
}

export interface EngineContext {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly partitionCount: number;
  readonly rules: RulesSource;
  readonly codes: CodeBook;
  readonly reservationKeys: ReservationKeys;
  readonly supplyKeys: SupplyKeys;
  readonly supplies: RememberedSupplies;
  readonly clock: DatabaseClock;
  /** For how long whoever decides about short promises may think. */
  readonly shortMs: number;
  readonly hooks: DecisionHooks;
  /** Called after each batch that was committed. */
  readonly onCommitted: () => void;
  /** Called after each batch that has left units to be given out in slices. */
  readonly onDeferred: () => void;
}
