/** Reservations of which one decision moves units here and there, so that each of them is told once, as it is in the end. */
import { type FenceTerms, rechargeFences } from './charge-fences.ts';
import { type BackingChange, type VerbEffect, NO_EFFECT, changeOf, next, standingOf } from './decide-verb.ts';
import type { SkuKey } from './keys.ts';
import { moveUnits } from './move-units.ts';
import type { Backing, BackingPlace, OpenTally, Reservation } from './reservation.ts';
import type { SupplyDraft } from './supply.ts';

export class MovingPromises {
  readonly #reservations: ReadonlyMap<number, Reservation>;
  readonly #moved = new Map<
    number,
    { readonly backings: readonly Backing[]; readonly changes: readonly BackingChange[] }
  >();

  /** What fences pay for is charged in the draft as units move. */
  readonly #draft: SupplyDraft;
  readonly #terms: FenceTerms;

  constructor(reservations: Iterable<Reservation>, draft: SupplyDraft, terms: FenceTerms) {
    this.#draft = draft;
    this.#terms = terms;
    this.#reservations = new Map([...reservations].map((reservation) => [reservation.key, reservation]));
  }

  /** As they are by now. */
  backings({ key, backings }: Reservation): readonly Backing[] {
    return this.#moved.get(key)?.backings ?? backings;
  }

  /** Moves open units from one backing to another, with what fences pay for; the rows of the book are for the caller. */
  move(
    reservation: Reservation,
    { no }: Pick<Backing, 'no'>,
    to: BackingPlace,
    quantity: number,
  ): Readonly<Record<OpenTally, number>> {
    const before = this.backings(reservation);
    const from = before[no];
    if (!from) throw new Error(`Broken invariant: reservation ${reservation.key} has no backing ${no}`);
    const { backings, moved } = moveUnits(before, from, to, quantity);
    const changes = this.#moved.get(reservation.key)?.changes ?? [];
    const change = { ...changeOf(from, quantity), to: standingOf(to) };
    const charged = this.#recharge(reservation, from.sku, before, backings);
    this.#moved.set(reservation.key, { backings: charged, changes: [...changes, change] });
    return moved;
  }

  #recharge(
    { channel }: Reservation,
    sku: SkuKey,
    before: readonly Backing[],
    after: readonly Backing[],
  ): readonly Backing[] {
    const hasFences = this.#terms.rules.fencesOf(sku).length > 0 || before.some(({ fenced }) => fenced > 0);
    if (!hasFences) return after;
    const rebacked = { before: { channel, backings: before }, after: { channel, backings: after } };
    return rechargeFences([rebacked], this.#draft, this.#terms)[0] ?? after;
  }

  /** Of each reservation that has moved, without the book's part. */
  effects(): readonly VerbEffect[] {
    return [...this.#moved].map(([key, { backings, changes }]) => {
      const before = this.#reservations.get(key);
      if (!before) throw new Error(`Broken invariant: reservation ${key} was moved and not loaded`);
      return { reservation: next(before, { backings }), effect: NO_EFFECT, changes };
    });
  }
}
