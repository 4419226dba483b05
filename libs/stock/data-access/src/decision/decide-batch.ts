/**
 * Decides a batch in arrival order over the loaded state and collects what must be written. Nothing here waits or
 * does I/O; a command that is refused leaves the state as it was.
 */
import assert from 'node:assert/strict';
import { OWN_SOURCE } from '@onepool/contracts';
import {
  type BackingChange,
  type Consequences,
  type Decision,
  type Doing,
  type LateUnits,
  type SkuKey,
  type SkuSupply,
  type SupplyEffect,
  type VerbEffect,
  concernOf,
  consequencesOf,
  decideConfirm,
  decideExtend,
  decideHold,
  decideLeave,
  decideMovements,
  decideReback,
  healShortfall,
  isShipmentCounted,
  leavesShort,
  reap,
  reject,
  rowKey,
} from '@onepool/stock-domain';
import { beyondLimits } from '@onepool/platform-rights';
import type {
  MovementsResult,
  Reservation as ReservationView,
  ReservationChanged,
  ReservationFact,
} from '@onepool/contracts';
import type {
  Command,
  Doer,
  HoldCommand,
  Keyed,
  MovementsCommand,
  Outcome,
  TendCommand,
  Verb,
  VerbCommand,
} from '../requests/command.ts';
import { type Effect, commandKey, holdKey } from '../repository/earlier-effects.ts';
import type { BatchState } from '../repository/load-batch.ts';
import type { AnsweredLine, FirstAnswer, StoredReservation } from '../repository/stored-reservations.ts';
import { type Views, isoTime } from '../requests/views.ts';
import { type LedgerOrigin, Writes } from './batch-writes.ts';

/** So that a fact stays well below what a message may hold, however long its codes are. */
const CHANGES_PER_FACT_MAX = 2_000;
const THE_ENGINE: Doer = { actor: OWN_SOURCE, person: null };
const FACT_OF_VERB = {
  extend: null,
  confirm: 'confirmed',
  fulfil: 'fulfilled',
  release: 'released',
  cancel: 'cancelled',
  're-back': 'rebacked',
} as const satisfies Record<VerbCommand['verb']['name'], ReservationFact | null>;

export class BatchDecider {
  readonly writes: Writes;
  readonly #initial: ReadonlyMap<SkuKey, SkuSupply>;
  readonly #changedSinceHealing = new Set<SkuKey>();
  /** Short SKUs of which someone who stands behind promised units was not loaded, so that another look must follow. */
  readonly #lookAgain = new Set<SkuKey>();
  readonly #healed = new Set<SkuKey>();
  /** SKUs of which a full look could move nobody, and the key below which the next one goes on. */
  readonly #goOnBelow = new Map<SkuKey, number>();
  readonly #traces = new Map<SkuKey, string>();
  /** Of the command under decision. */
  #trace: string | null = null;

  readonly #state: BatchState;
  readonly #views: Views;
  readonly #keys: Iterator<number>;

  /** `keys` are for new reservations, one for each hold. */
  constructor(state: BatchState, views: Views, keys: readonly number[]) {
    this.#state = state;
    this.#views = views;
    this.#keys = keys.values();
    this.#initial = new Map(state.supplies);
    this.writes = new Writes();
  }

  /** Outcomes in the order of the commands. */
  decide(commands: readonly Command[]): readonly Outcome[] {
    this.#reapOverdue();
    const outcomes = commands.map((command) => this.#decideOne(command));
    this.#finish();
    return outcomes;
  }

  #decideOne(command: Command): Outcome {
    this.#trace = command.trace;
    switch (command.kind) {
      case 'hold':
        return this.#replayed(command) ?? this.#hold(command);
      case 'verb':
        return this.#forbidden(command) ?? this.#replayed(command) ?? this.#verb(command);
      case 'movements':
        return this.#replayed(command) ?? this.#movements(command);
      case 'tend':
        return this.#tend(command);
    }
  }

  #replayed(command: HoldCommand | VerbCommand | MovementsCommand): Outcome | null {
    const effect = this.#state.effects.get(command.kind === 'hold' ? holdKey(command) : commandKey(command));
    if (!effect) return null;
    if (effect.actor !== command.actor) return reject({ code: 'reservation.taken' });
    if (!effect.bodyHash.equals(command.bodyHash)) return reject({ code: 'idempotency.mismatch' });
    const answer = effect.firstAnswer ? this.#views.firstAnswer(command.id, effect.firstAnswer) : effect.answer;
    return { ok: true, value: answer, replayed: true };
  }

  #hold(command: HoldCommand): Outcome {
    const { rules, now } = this.#state;
    const channel = rules.channels.get(command.channel);
    if (!channel) throw new Error(`Broken invariant: channel key ${command.channel} is not in the catalogue`);
    const nodes = command.nodes && new Set(command.nodes);
    const decision = decideHold(command.demand, this.#state.supplies, rules, { channel, nodes, now });
    if (!decision.ok) return decision;
    const { lines, backings, effect } = decision.value;
    this.#applySupplies(effect.supplies);
    const expiresAt = now + command.expiresInSeconds * 1_000;
    const key = this.#newKey();
    const answered = lines.map(({ sku, requested, granted }): AnsweredLine => [
      sku,
      requested,
      granted,
      this.#state.versions.get(sku) ?? 0,
      backings.filter((backing) => backing.sku === sku).map(({ node, held }) => [node, held] as const),
    ]);
    this.writes.newReservations.push({ key, command, lines: answered, expiresAt });
    const { actor, owner, id } = command;
    for (const { sku, node, held: units } of backings) {
      const version = this.#state.versions.get(sku) ?? 0;
      this.writes.hold({ reservationKey: key, actor, id, sku, node, units, expiresAt, version });
    }
    const firstAnswer: FirstAnswer = { owner, channelKey: command.channel, createdAt: now, expiresAt, lines: answered };
    this.#state.effects.set(holdKey(command), { bodyHash: command.bodyHash, answer: null, firstAnswer, actor });
    return { ok: true, value: this.#views.firstAnswer(command.id, firstAnswer), replayed: false };
  }

  #newKey(): number {
    const { value, done = false } = this.#keys.next();
    assert(!done && value !== undefined, 'there is a key for each hold');
    return value;
  }

  /** Limits come before a stored answer: who may not ask is not told what another was. */
  #forbidden(command: VerbCommand): Outcome | null {
    const { reservation } = this.#stored(command);
    const isRepeated = this.#state.effects.has(commandKey(command));
    const concern = concernOf(reservation, doingOf(command.verb, isRepeated));
    const rejection = beyondLimits(command.limits, concern, this.#views);
    return rejection && reject(rejection);
  }

  #stored({ reservationKey }: VerbCommand): StoredReservation {
    const stored = this.#state.reservations.get(reservationKey);
    if (!stored) throw new Error(`Broken invariant: reservation ${reservationKey} was not loaded`);
    return stored;
  }

  #verb(command: VerbCommand): Outcome {
    const stored = this.#stored(command);
    const { now } = this.#state;
    const occurredAt = Math.min((command.verb.name === 'fulfil' ? command.verb.occurredAt : null) ?? now, now);
    const decision = this.#decideVerb(command, stored, occurredAt);
    if (!decision.ok) return decision;
    const origin = { reason: command.verb.name, source: command.actor, sourceEventId: command.id, occurredAt };
    const changed = this.#applyVerb(stored, decision.value, origin, command, FACT_OF_VERB[command.verb.name]);
    return this.#done(command, this.#views.reservation(changed));
  }

  #decideVerb({ verb }: VerbCommand, stored: StoredReservation, occurredAt: number): Decision<VerbEffect> {
    const { supplies, rules, now, watermarks } = this.#state;
    const { reservation, acknowledgedAt } = stored;
    switch (verb.name) {
      case 'extend':
        return decideExtend(reservation, now + verb.expiresInSeconds * 1_000);
      case 'confirm':
        return decideConfirm(reservation, supplies, rules, { now, reacquire: verb.reacquire });
      case 're-back':
        return decideReback(reservation, supplies, rules, { ...verb, now });
      case 'fulfil':
        return decideLeave('fulfil', reservation, supplies, verb.parts, ({ sku, node }) => {
          const key = rowKey(sku, node);
          return isShipmentCounted(watermarks.get(key), occurredAt, acknowledgedAt.get(key) ?? null);
        });
      case 'release':
      case 'cancel':
        return decideLeave(verb.name, reservation, supplies, verb.parts);
    }
  }

  #movements(command: MovementsCommand): Outcome {
    const { now } = this.#state;
    const occurredAt = Math.min(command.occurredAt ?? now, now);
    const decision = decideMovements(command.movements, this.#state.supplies, {
      occurredAt,
      watermarks: this.#state.watermarks,
    });
    if (!decision.ok) return decision;
    const { supplies, postings, postingsPerMovement, late } = decision.value;
    this.#applySupplies(supplies);
    let next = 0;
    for (const [index, movement] of command.movements.entries()) {
      const count = postingsPerMovement[index] ?? 0;
      const reason = movement.reason ?? movement.type;
      const sourceEventId = movement.sourceEventId ?? command.id;
      const origin = { reason, source: command.source, sourceEventId, occurredAt };
      this.#post(postings.slice(next, next + count), origin);
      next += count;
    }
    for (const { index, ...units } of late) {
      const movement = command.movements[index];
      const sourceEventId = movement?.sourceEventId ?? command.id;
      const kind = movement?.type ?? 'adjustment';
      this.writes.lateNotes.push({ ...units, kind, source: command.source, sourceEventId, occurredAt });
    }
    return this.#done(command, this.#movementsAnswer(command, supplies, late));
  }

  #movementsAnswer(
    command: MovementsCommand,
    supplies: SupplyEffect['supplies'],
    late: readonly LateUnits[],
  ): MovementsResult {
    const touched = new Map([...supplies.keys()].map((sku) => [sku, new Set<number>()]));
    for (const { sku, node, toNode } of command.movements) {
      touched.get(sku)?.add(node);
      if (toNode !== null) touched.get(sku)?.add(toNode);
    }
    const skus = [...supplies.values()].map((supply) => ({
      sku: this.#views.sku(supply.sku),
      version: this.#state.versions.get(supply.sku) ?? 0,
      rows: this.#views.stockRows({
        ...supply,
        rows: supply.rows.filter(({ node }) => touched.get(supply.sku)?.has(node)),
      }),
    }));
    const counted = late.map(({ index, node, quantity, count }) => ({
      line: index + 1,
      node: this.#views.node(node),
      quantity,
      countedAt: isoTime(count.capturedAt),
      countedBy: count.source,
    }));
    return { id: command.id, recordedAt: isoTime(this.#state.now), skus, late: counted };
  }

  /** Everything overdue was reaped when the batch began; what is left is healing. */
  #tend({ skus, heal }: TendCommand): Outcome {
    for (const sku of heal ? skus : []) {
      if (!this.#lookAgain.has(sku)) this.#heal(sku);
    }
    return { ok: true, value: null, replayed: false };
  }

  #heal(sku: SkuKey): void {
    const newestFirst = [...this.#state.reservations.values()].sort((a, b) => b.reservation.key - a.reservation.key);
    const candidates = newestFirst.map(({ reservation }) => reservation);
    const { effects } = healShortfall(sku, candidates, this.#state.supplies, this.#state.rules, this.#state.now);
    for (const effect of effects) {
      const stored = this.#state.reservations.get(effect.reservation.key);
      if (!stored) continue;
      const origin = { reason: 're-back', source: OWN_SOURCE, sourceEventId: stored.id, occurredAt: this.#state.now };
      this.#applyVerb(stored, effect, origin, THE_ENGINE, 'rebacked');
    }
    // Those who were not loaded may move, too: nothing is broken before the oldest was looked at.
    const below = this.#state.healMoreBelow;
    if (below !== null && effects.length > 0) return void this.#lookAgain.add(sku);
    if (below !== null) return void this.#goOnBelow.set(sku, below);
    this.#changedSinceHealing.delete(sku);
    this.#healed.add(sku);
  }

  #reapOverdue(): void {
    const locked = new Set(this.#state.supplies.keys());
    for (const stored of this.#state.reservations.values()) {
      const effect = reap(stored.reservation, this.#state.supplies, { locked, now: this.#state.now });
      if (!effect) continue;
      const origin = {
        reason: 'expire',
        source: OWN_SOURCE,
        sourceEventId: stored.id,
        occurredAt: stored.reservation.expiresAt,
      };
      this.#applyVerb(stored, effect, origin, THE_ENGINE, 'expired');
    }
  }

  #applyVerb(
    stored: StoredReservation,
    { reservation, effect, changes }: VerbEffect,
    origin: LedgerOrigin,
    doer: Doer,
    fact: ReservationFact | null,
  ): StoredReservation {
    this.#apply(effect, origin, stored.acknowledgedAt);
    const changed = { ...stored, reservation };
    this.#state.reservations.set(reservation.key, changed);
    this.writes.changedReservations.set(reservation.key, reservation);
    const before = stored.reservation;
    const prolonged = before.expiresAt !== reservation.expiresAt;
    const unchanged = new Set(prolonged ? [] : before.backings);
    for (const backing of reservation.backings) {
      if (!unchanged.has(backing)) this.writes.changeBacking(reservation.key, backing, reservation.expiresAt);
    }
    if (fact) this.#tell(changed, doer, fact, changes);
    return changed;
  }

  #tell(
    { id, owner, reservation }: StoredReservation,
    { actor, person }: Doer,
    fact: ReservationFact,
    changes: readonly BackingChange[],
  ): void {
    const named = changes.map(({ sku, node, quantity, to }) => ({
      sku: this.#views.sku(sku),
      node: this.#views.node(node),
      quantity,
      ...(to === undefined ? {} : { to: this.#views.node(to) }),
    }));
    const data: Omit<ReservationChanged, 'changes'> = {
      reservation: id,
      owner,
      actor,
      ...(person === null ? {} : { person }),
      channel: this.#views.channel(reservation.channel),
      fact,
      version: reservation.version,
      recordedAt: isoTime(this.#state.now),
    };
    for (let from = 0, part = 1; from < Math.max(1, named.length); from += CHANGES_PER_FACT_MAX, part++) {
      const changed = named.slice(from, from + CHANGES_PER_FACT_MAX);
      this.writes.reservationFacts.push({ data: { ...data, changes: changed }, part, trace: this.#trace });
    }
  }

  #apply({ supplies, postings }: SupplyEffect, origin: LedgerOrigin, acknowledged = NONE_ACKNOWLEDGED): void {
    this.#applySupplies(supplies);
    this.#post(postings, origin, acknowledged);
  }

  /** Every change of a SKU takes the next version under its gate. */
  #applySupplies(supplies: SupplyEffect['supplies']): void {
    for (const [sku, supply] of supplies) {
      this.#state.supplies.set(sku, supply);
      this.#state.versions.set(sku, (this.#state.versions.get(sku) ?? 0) + 1);
      this.#changedSinceHealing.add(sku);
      if (this.#trace !== null) this.#traces.set(sku, this.#trace);
    }
  }

  #post(postings: SupplyEffect['postings'], origin: LedgerOrigin, acknowledged = NONE_ACKNOWLEDGED): void {
    for (const posting of postings) {
      const { sku, node } = posting;
      if (leavesShort(posting)) this.#lookAgain.add(sku);
      const acknowledgedAt = acknowledged.size === 0 ? null : (acknowledged.get(rowKey(sku, node)) ?? null);
      this.writes.post(posting, this.#state.versions.get(sku) ?? 0, origin, acknowledgedAt);
    }
  }

  #done(command: Keyed, answer: ReservationView | MovementsResult): Outcome {
    this.writes.commands.push({ command, answer });
    const { bodyHash, actor } = command;
    const effect: Effect = { bodyHash, answer, firstAnswer: null, actor };
    this.#state.effects.set(commandKey(command), effect);
    return { ok: true, value: answer, replayed: false };
  }

  /** Rows that changed, SKUs whose promises need another look, and what healing could not mend. */
  #finish(): void {
    const mended = new Map<SkuKey, Consequences['mended']>();
    for (const [sku, supply] of this.#state.supplies) {
      const before = this.#initial.get(sku);
      if (!before || before === supply) continue;
      const follows = consequencesOf(before, supply, { newlyShort: this.#lookAgain.has(sku) });
      mended.set(sku, follows.mended);
      this.writes.changedSkus.push({
        sku,
        rows: follows.rows,
        version: this.#state.versions.get(sku) ?? 0,
        trace: this.#traces.get(sku) ?? null,
      });
      // What healing has just left short needs no other look, unless somebody has changed the SKU since.
      if (follows.needsRebacking && this.#changedSinceHealing.has(sku)) this.writes.rebackTasks.set(sku, null);
    }
    for (const [sku, key] of this.#goOnBelow)
      if (!this.writes.rebackTasks.has(sku)) this.writes.rebackTasks.set(sku, key);
    for (const sku of this.#healed) this.writes.healed.push(sku);
    for (const [sku, supply] of this.#state.supplies) this.#noteBroken(sku, supply, mended.get(sku) ?? []);
  }

  /** An open exception follows its row's shortfall; only healing opens one, since only then nothing can be moved. */
  #noteBroken(sku: SkuKey, { rows }: SkuSupply, mended: Consequences['mended']): void {
    const settled = this.#healed.has(sku) && !this.writes.rebackTasks.has(sku);
    for (const { node, quantity } of mended) {
      // What healing leaves short is told as broken, even if it is less than before.
      if (!settled || quantity === 0) this.writes.mended.push({ sku, node, quantity });
    }
    for (const { node, shortfall: quantity } of settled ? rows : []) {
      if (quantity === 0) continue;
      this.writes.broken.push({ sku, node, quantity });
      const known = this.#state.openExceptions.get(`${sku}:${node}`) === quantity;
      if (!known) this.writes.newlyBroken.push({ sku, node, quantity });
    }
  }
}

const NONE_ACKNOWLEDGED: ReadonlyMap<string, number> = new Map();

/** What leaves or moves between nodes is node work; all else of a promise is selling. */
function doingOf(verb: Verb, isRepeated: boolean): Doing {
  switch (verb.name) {
    case 'fulfil':
      return { kind: 'node_work', nodes: verb.parts?.map(({ node }) => node) ?? null, isRepeated };
    case 're-back':
      return { kind: 'node_work', nodes: verb.moves.flatMap(({ from, to }) => [from, to]), isRepeated };
    case 'extend':
    case 'confirm':
    case 'release':
    case 'cancel':
      return { kind: 'selling' };
  }
}
