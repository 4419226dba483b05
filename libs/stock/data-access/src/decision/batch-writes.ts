/** What a batch has decided to write, collected while it decides and written by one statement. */
import type { MovementsResult, Reservation as ReservationView, ReservationChanged } from '@onepool/contracts';
import type { Backing, LateUnits, NodeKey, Posting, Reservation, SkuKey, SupplyRow } from '@onepool/stock-domain';
import type { HoldCommand, Keyed } from '../requests/command.ts';
import type { AnsweredLine } from '../repository/stored-reservations.ts';

/** Why a posting was made and who said so. `occurredAt` in milliseconds. */
export interface LedgerOrigin {
  readonly reason: string;
  readonly source: string;
  readonly sourceEventId: string;
  readonly occurredAt: number;
}

export interface LedgerRow extends Posting, LedgerOrigin {
  readonly version: number;
  readonly ordinal: number;
  /** Milliseconds; since when the node knew of the promise that this changes, null if it didn't or there is none. */
  readonly acknowledgedAt: number | null;
}

export interface NewReservation {
  readonly key: number;
  readonly command: HoldCommand;
  readonly lines: readonly AnsweredLine[];
  readonly expiresAt: number;
}

/** Units that a source told of too late: the row's newest count had seen them. Times in milliseconds. */
export interface LateNote extends Omit<LateUnits, 'index'> {
  readonly kind: string;
  readonly source: string;
  readonly sourceEventId: string;
  readonly occurredAt: number;
}

export interface ChangedSku {
  readonly sku: SkuKey;
  readonly rows: readonly SupplyRow[];
  readonly version: number;
  /** Of the last command that changed the SKU. */
  readonly trace: string | null;
}

export interface RowQuantity {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly quantity: number;
}

export interface BackingWrite {
  readonly reservationKey: number;
  readonly backing: Backing;
  readonly expiresAt: number;
}

/** Units of one row that a new reservation holds. */
export interface HeldUnits {
  readonly reservationKey: number;
  readonly actor: string;
  /** Of the reservation. */
  readonly id: string;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly units: number;
  readonly expiresAt: number;
  /** Of the SKU. */
  readonly version: number;
  readonly ordinal: number;
}

export class Writes {
  #ordinals = 0;
  readonly newReservations: NewReservation[] = [];
  readonly changedReservations = new Map<number, Reservation>();
  readonly holds: HeldUnits[] = [];
  readonly changedBackings = new Map<string, BackingWrite>();
  readonly ledger: LedgerRow[] = [];
  readonly lateNotes: LateNote[] = [];
  readonly commands: { readonly command: Keyed; readonly answer: ReservationView | MovementsResult }[] = [];
  readonly changedSkus: ChangedSku[] = [];
  /** `part` counts from 1 the facts of one change that is too large for one. */
  readonly reservationFacts: {
    readonly data: ReservationChanged;
    readonly part: number;
    readonly trace: string | null;
  }[] = [];
  /** SKUs to be healed, with the key below which the next look goes on; null begins anew. */
  readonly rebackTasks = new Map<SkuKey, number | null>();
  readonly healed: SkuKey[] = [];
  /** Every short row of a healed SKU; of these the ones not known before are facts. */
  readonly broken: RowQuantity[] = [];
  readonly newlyBroken: RowQuantity[] = [];
  readonly mended: RowQuantity[] = [];

  /** The last word on a backing wins; it is absolute, since its SKU's gate is ours. */
  changeBacking(reservationKey: number, backing: Backing, expiresAt: number): void {
    this.changedBackings.set(`${reservationKey}:${backing.sku}:${backing.node}`, {
      reservationKey,
      backing,
      expiresAt,
    });
  }

  hold(held: Omit<HeldUnits, 'ordinal'>): void {
    this.holds.push({ ...held, ordinal: this.#ordinals++ });
  }

  post(posting: Posting, version: number, origin: LedgerOrigin, acknowledgedAt: number | null = null): void {
    this.ledger.push({ ...posting, ...origin, version, ordinal: this.#ordinals++, acknowledgedAt });
  }

  get isEmpty(): boolean {
    const written = [this.newReservations, this.ledger, this.commands, this.healed, this.mended, this.broken];
    return (
      written.every((rows) => rows.length === 0) && this.changedReservations.size === 0 && this.rebackTasks.size === 0
    );
  }
}
