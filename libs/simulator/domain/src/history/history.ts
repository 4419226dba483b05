/**
 * What the client did and was told, by its own monotonic clock. The auditor works from this and from the facts it
 * received: it never asks the system how the stock got to be as it is.
 */
import type { Movement, Reservation } from '../messages.ts';

/** From the first byte of the first attempt to the last byte of the answer; `untilMs` is infinite without one. */
export interface Interval {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Units {
  readonly sku: string;
  readonly node: string;
  readonly quantity: number;
}

export interface HoldRecord {
  readonly id: string;
  readonly interval: Interval;
  readonly allowPartial: boolean;
  /** Units by SKU: lines of one SKU are decided together. */
  readonly requested: ReadonlyMap<string, number>;
  readonly outcome: 'granted' | 'refused' | 'unknown' | 'failed';
  /** Where the grant was backed according to its answer, which was the reservation at `version`. */
  readonly backed: readonly Units[];
  readonly version: number;
}

/** Units that left a reservation's backing at a node, as an answer told. */
export interface StepRecord {
  readonly reservation: string;
  readonly interval: Interval;
  readonly effect: 'given_back' | 'fulfilled';
  readonly units: readonly Units[];
}

export interface MovementRecord {
  readonly id: string;
  readonly interval: Interval;
  readonly movements: readonly Movement[];
  readonly outcome: 'applied' | 'refused' | 'unknown' | 'failed';
  /** The system's clock while it applied them. */
  readonly recordedAtMs?: number;
}

/** A confirmation that was answered; its fact's time stamp ties the system's clock to the client's. */
export interface ConfirmRecord {
  readonly reservation: string;
  readonly interval: Interval;
}

export interface History {
  readonly holds: readonly HoldRecord[];
  readonly steps: readonly StepRecord[];
  readonly confirms: readonly ConfirmRecord[];
  readonly movements: readonly MovementRecord[];
}

/** A quantity that moved or expired, as a fact told it. */
export interface MoveFact {
  readonly reservation: string;
  readonly version: number;
  readonly recordedAtMs: number;
  /** Client clock when the fact arrived. */
  readonly receivedAtMs: number;
  readonly sku: string;
  readonly node: string;
  /** Absent: the units expired. */
  readonly to?: string;
  readonly quantity: number;
}
/** When a confirmation was recorded, by the system's clock. */
export interface ConfirmFact {
  readonly reservation: string;
  readonly recordedAtMs: number;
}

/** Units of a reservation by backing, all states together: what the grant put there. */
export const backedUnits = (reservation: Reservation): Units[] => {
  const units: Units[] = [];
  for (const { sku, backings } of reservation.lines) {
    for (const { node, held, confirmed, fulfilled, released, expired, cancelled, broken } of backings) {
      const quantity = held + confirmed + fulfilled + released + expired + cancelled + broken;
      if (quantity > 0 && node !== null) units.push({ sku, node, quantity });
    }
  }
  return units;
};
