/**
 * The book and the reservations while a batch is being decided: what was loaded, with every effect so far, and beside it what has to
 * be written for it. Every change of a SKU takes the next version under its gate.
 */
import assert from 'node:assert/strict';
import {
  type Backing,
  type BackingChange,
  type Reservation,
  STAGES,
  type SkuKey,
  type SkuSupply,
  type SupplyEffect,
  type SupplyKey,
  type VerbEffect,
  fenceUsesOf,
  isWaitedFor,
  leavesShort,
  open,
  rowOf,
  supplyOf,
} from '@onepool/stock-domain';
import type { ReservationChanged, ReservationFact } from '@onepool/contracts';
import type { BatchState } from '../repository/load-batch.ts';
import type { StoredReservation } from '../repository/stored-reservations.ts';
import type { Doer } from '../requests/command.ts';
import { type Views, isoTime } from '../requests/views.ts';
import { THE_ENGINE_SOURCE } from '../sources/source-book.ts';
import { type ChangedSku, type LedgerOrigin, THE_ENGINE, Writes } from './batch-writes.ts';
import { waitRankOf } from '../repository/wait-rank.ts';
import { withKeys } from './new-rows.ts';

/** So that a fact stays well below what a message may hold, however long its codes are. */
const CHANGES_PER_FACT_MAX = 2_000;
const NO_MARKS: readonly (readonly [SkuKey, SkuSupply])[] = [];

/** What somebody's verb does to a reservation. */
export interface Deed {
  readonly origin: LedgerOrigin;
  readonly doer: Doer;
  /** What it is told as; null is not told. */
  readonly fact: ReservationFact | null;
  readonly trace: string | null;
}

export class ChangingBook {
  readonly writes = new Writes();
  /** SKUs of which promised units have lost their cover. */
  readonly newlyShort = new Set<SkuKey>();
  readonly changed = new Set<SkuKey>();
  /** SKUs of which units wait for a later slice. */
  readonly deferred = new Set<SkuKey>();
  /** SKUs for whose units others wait than were loaded, or in another order. */
  readonly othersWait = new Set<SkuKey>();
  /** SKUs of which something has changed without a posting. */
  readonly beside = new Map<SkuKey, NonNullable<ChangedSku['beside']>>();
  /** SKUs whose short promises may be others than before, or about which somebody else decides now; and whether some may move that could not. */
  readonly othersShort = new Map<SkuKey, boolean>();
  /** Of the last command that changed a SKU. */
  readonly traces = new Map<SkuKey, string>();

  readonly #state: BatchState;
  readonly #views: Views;
  readonly #rowKeys: Iterator<SupplyKey>;
  /** What SKUs for which somebody waits were, when they were last looked at for units that have come free. */
  readonly #marks = new Map<SkuKey, SkuSupply>();

  constructor(state: BatchState, views: Views, rowKeys: readonly SupplyKey[]) {
    this.#state = state;
    this.#views = views;
    this.#rowKeys = rowKeys.values();
  }

  supply(sku: SkuKey): SkuSupply {
    const supply = this.#state.supplies.get(sku);
    assert(supply, 'the gate of a SKU that is decided on is locked');
    return supply;
  }

  stored(key: number): StoredReservation {
    const stored = this.#state.reservations.get(key);
    assert(stored, `reservation ${key} was loaded`);
    return stored;
  }

  versionOf(sku: SkuKey): number {
    return this.#state.versions.get(sku) ?? 0;
  }

  /** The new supplies; postings are written by {@link post}. */
  change(
    { supplies, postings = [] }: Pick<SupplyEffect, 'supplies'> & Partial<SupplyEffect>,
    trace: string | null,
  ): void {
    for (const [sku, supply] of supplies) {
      const before = this.supply(sku);
      if (isWaitedFor(before) && !this.#marks.has(sku)) this.#marks.set(sku, before);
      this.#state.supplies.set(sku, withKeys(supply, this.#rowKeys));
      this.#state.versions.set(sku, this.versionOf(sku) + 1);
      this.changed.add(sku);
      if (!postings.some((posting) => posting.sku === sku)) this.#noteBeside(before, supply);
      if (trace !== null) this.traces.set(sku, trace);
    }
  }

  #noteBeside(before: SkuSupply, after: SkuSupply): void {
    const told = new Set(this.beside.get(after.sku));
    if (before.inbound !== after.inbound) told.add('inbound_line');
    if (fenceUsesOf(before) !== fenceUsesOf(after)) told.add('fence');
    if (told.size > 0) this.beside.set(after.sku, told);
  }

  /** SKUs for which somebody waits and that have changed since this was last asked, as they were then. */
  takeMarks(): readonly (readonly [SkuKey, SkuSupply])[] {
    if (this.#marks.size === 0) return NO_MARKS;
    const marks = [...this.#marks];
    this.#marks.clear();
    return marks;
  }

  post(postings: SupplyEffect['postings'], origin: LedgerOrigin): void {
    for (const posting of postings) {
      const { sku, at } = posting;
      if (leavesShort(posting)) this.newlyShort.add(sku);
      this.writes.post(posting, rowOf(this.supply(sku), at).key, this.versionOf(sku), origin);
    }
  }

  /** What the engine does without being asked. */
  byItself(effect: VerbEffect, why: Pick<LedgerOrigin, 'reason' | 'occurredAt'>, fact: ReservationFact): void {
    const stored = this.stored(effect.reservation.key);
    const origin = { ...why, source: THE_ENGINE_SOURCE, sourceName: null, sourceEventId: stored.id };
    this.applyVerb(stored, effect, { origin, doer: THE_ENGINE, fact, trace: null });
  }

  /** A reservation as a verb has made it, with what that does to the book. */
  applyVerb(stored: StoredReservation, verb: VerbEffect, deed: Deed): StoredReservation {
    const { reservation, effect, changes } = verb;
    const before = stored.reservation;
    const shortBefore = new Set(before.backings.filter((backing) => this.#isShort(backing)));
    this.change(effect, deed.trace);
    this.post(effect.postings, deed.origin);
    const isAmended = stored.isAmended || before.lines !== reservation.lines;
    const changed = { ...stored, reservation, isAmended };
    this.#state.reservations.set(reservation.key, changed);
    this.writes.changedReservations.set(reservation.key, reservation);
    this.#noteAmended(before, changed);
    const prolonged = before.expiresAt !== reservation.expiresAt;
    const reranked = before.priority !== reservation.priority || before.orderedAt !== reservation.orderedAt;
    for (const backing of reservation.backings) {
      const earlier = before.backings[backing.no];
      const waits = reranked && isWaiting(backing);
      // Of who waits now, the page that was read knows nothing.
      const isNew = isWaiting(backing) && open(backing) > (earlier ? open(earlier) : 0);
      if (waits || isNew) this.othersWait.add(backing.sku);
      // A row may lack as many units as before, and others be those whose promises they are.
      const isShort = this.#isShort(backing);
      const isConcerned = isShort || (earlier !== undefined && shortBefore.has(earlier));
      const isMore = isShort && open(backing) > (earlier ? open(earlier) : 0);
      if (backing !== earlier && isConcerned) this.#noteOthersShort(backing.sku, isMore);
      if (backing !== earlier || prolonged || waits)
        this.#writeBacking(changed, backing, earlier, deed.origin.occurredAt);
    }
    if (deed.fact) this.#tell(changed, deed, deed.fact, changes);
    return changed;
  }

  #noteAmended(before: Reservation, { reservation: after, isAmended }: StoredReservation): void {
    const { key, controller } = after;
    const isSame = (['channel', 'controller', 'priority', 'orderedAt', 'destination', 'lines'] as const).every(
      (member) => before[member] === after[member],
    );
    const earlier = this.writes.amendedReservations.get(key);
    // What comes after an amendment in the same batch has the last word on version and expiry.
    if (isSame && !earlier) return;
    const channelBefore = earlier?.channelBefore ?? before.channel;
    this.writes.amendedReservations.set(key, { reservation: after, channelBefore, isAmended });
    if (before.controller === controller) return;
    for (const backing of after.backings)
      if (this.#isShort(backing)) this.#noteOthersShort(backing.sku, controller === null);
    if (before.controller) this.writes.detach(before.controller);
    if (controller) this.writes.attach(controller, key);
  }

  #noteOthersShort(sku: SkuKey, mayMove: boolean): void {
    this.othersShort.set(sku, mayMove || this.othersShort.get(sku) === true);
  }

  #isShort(backing: Backing): boolean {
    const place = supplyOf(backing);
    // Of a hold that runs out, other SKUs than those of the batch may be left.
    const supply = this.#state.supplies.get(backing.sku);
    return open(backing) > 0 && place !== null && supply !== undefined && rowOf(supply, place).shortfall > 0;
  }

  #writeBacking(
    { reservation, rowKeys }: StoredReservation,
    backing: Backing,
    before: Backing | undefined,
    occurredAt: number,
  ): void {
    const { key: reservationKey, expiresAt, version } = reservation;
    const { sku, no } = backing;
    const place = supplyOf(backing);
    // A backing is unique by the key of its row, even where that is gone.
    const supplyKey = place && (rowOf(this.supply(sku), place).key || (rowKeys[no] ?? 0));
    assert(supplyKey !== 0, `backing ${no} of reservation ${reservationKey} stands on a row`);
    const waitRank = isAhead(backing) ? waitRankOf(reservation) : null;
    this.writes.changeBacking({ reservationKey, supplyKey, backing, expiresAt, waitRank, isNew: before === undefined });
    if (supplyKey === null) return;
    for (const stage of STAGES) {
      const units = backing[stage] - (before?.[stage] ?? 0);
      if (units !== 0)
        this.writes.stageEntries.push({ reservationKey, version, supplyKey, sku, no, stage, units, occurredAt });
    }
  }

  #tell(
    { id, owner, reservation }: StoredReservation,
    { doer, trace }: Deed,
    fact: ReservationFact,
    changes: readonly BackingChange[],
  ): void {
    const { actor, person } = doer;
    const { controller } = reservation;
    const data: Omit<ReservationChanged, 'changes'> = {
      reservation: id,
      owner,
      actor,
      ...(person === null ? {} : { person }),
      ...(controller === null ? {} : { order: controller.order }),
      channel: this.#views.channel(reservation.channel),
      fact,
      version: reservation.version,
      recordedAt: isoTime(this.#state.now),
    };
    const named = changes.map((change) => this.#views.change(reservation, change));
    for (let from = 0, part = 1; from < Math.max(1, named.length); from += CHANGES_PER_FACT_MAX, part++) {
      const some = named.slice(from, from + CHANGES_PER_FACT_MAX);
      this.writes.reservationFacts.push({ data: { ...data, changes: some }, part, trace });
    }
  }
}

const isAhead = ({ kind }: Backing): boolean => kind === 'incoming' || kind === 'allowance';
const isWaiting = (backing: Backing): boolean => isAhead(backing) && open(backing) > 0;
