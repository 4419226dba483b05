/**
 * Decides a batch in arrival order over the loaded state and collects what must be written. Nothing here waits or
 * does I/O; a command that is refused leaves the state as it was.
 */
import {
  type AllocationPart,
  type Rejection,
  type SkuKey,
  type SkuSupply,
  type SupplyKey,
  attachedToOther,
  changedFenceUses,
  changedStops,
  concernOf,
  consequencesOf,
  decideAllocate,
  hasOtherConcerns,
  linesAfter,
  opensWay,
  reap,
  reject,
  stopsAfter,
  stopsOf,
  withStops,
  withoutSpent,
} from '@onepool/stock-domain';
import { beyondLimits } from '@onepool/platform-rights';
import type { AllocatedReservation } from '@onepool/contracts';
import {
  type AllocateCommand,
  type AnswerOf,
  type Command,
  type DrainCommand,
  type ExpectCommand,
  type HoldCommand,
  type JudgeCommand,
  type Keyed,
  type MovementsCommand,
  type ReceiveCommand,
  type Outcome,
  type Settled,
  type ShipCommand,
  type StopCommand,
  type StoredAnswer,
  type TendCommand,
  type TombstoneCommand,
  type VerbCommand,
  reservationsOf,
} from '../requests/command.ts';
import { type Effect, commandKey, holdKey } from '../repository/earlier-effects.ts';
import type { BatchState } from '../repository/load-batch.ts';
import type { StoredReservation } from '../repository/stored-reservations.ts';
import { type LineIds, refusalOf } from '../requests/refusal.ts';
import type { Views } from '../requests/views.ts';
import { type Writes, toldBy } from './batch-writes.ts';
import { carryOutVerb } from './carry-out-verb.ts';
import { holdUnits } from './hold-units.ts';
import { AppliedMovements } from './apply-movements.ts';
import { ChangingBook } from './changing-book.ts';
import { drainSku } from './drain-sku.ts';
import { expectLines } from './expect-lines.ts';
import { PromiseExceptions } from './promise-exceptions.ts';
import { ReceivedLines } from './receive-lines.ts';
import { ShippedLines } from './ship-lines.ts';
import { ServedWaiting } from './serve-waiting.ts';
import { TendedSkus } from './tend-sku.ts';
import { judgeInspection } from './judge-inspection.ts';
import { nextOf } from './new-rows.ts';
import { doingOf } from './verb-decisions.ts';

/** Keys for what a batch may bring into being. */
export interface NewKeys {
  /** One for each hold. */
  readonly reservations: readonly number[];
  readonly rows: readonly SupplyKey[];
}

/** What became of a command, by keys. */
type Decided = Settled<AnswerOf<Command['kind']>, Rejection>;

export class BatchDecider {
  readonly #initial: ReadonlyMap<SkuKey, SkuSupply>;
  readonly #book: ChangingBook;
  readonly #state: BatchState;
  readonly #views: Views;
  readonly #keys: Iterator<number>;
  readonly #waiting: ServedWaiting;
  readonly #exceptions: PromiseExceptions;
  readonly #tended: TendedSkus;

  /** `shortMs`: for how long whoever decides about short promises may think; only the engine's own commands ask. */
  constructor(state: BatchState, views: Views, keys: NewKeys, shortMs = 0) {
    this.#state = state;
    this.#views = views;
    this.#book = new ChangingBook(state, views, keys.rows);
    this.#keys = keys.reservations.values();
    this.#waiting = new ServedWaiting(state, this.#book);
    this.#exceptions = new PromiseExceptions(state, this.writes, shortMs);
    this.#tended = new TendedSkus(state, this.#book, this.#waiting, this.#exceptions);
    this.#initial = new Map(state.supplies);
  }

  get writes(): Writes {
    return this.#book.writes;
  }

  /** Whether units wait for a slice that housekeeping gives out. */
  get hasDeferred(): boolean {
    return this.#book.deferred.size > 0;
  }

  /** Outcomes in the order of the commands. */
  decide(commands: readonly Command[]): readonly Outcome[] {
    this.#reapOverdue();
    this.#waiting.serve();
    const outcomes = commands.map((command): Outcome => {
      const decided = this.#decideOne(command);
      this.#waiting.serve();
      return decided.ok ? decided : reject(refusalOf(decided.rejection, this.#views, this.#lineIdsOf(command)));
    });
    this.#finish();
    return outcomes;
  }

  #decideOne(command: Command): Decided {
    switch (command.kind) {
      case 'hold':
        return this.#replayed(command) ?? this.#hold(command);
      case 'tombstone':
        return this.#tombstone(command);
      case 'verb':
        return this.#forbidden(command) ?? this.#replayed(command) ?? this.#verb(command);
      case 'allocate':
        return this.#replayed(command) ?? this.#allocate(command);
      case 'movements':
        return this.#replayed(command) ?? this.#movements(command);
      case 'stop':
        return this.#stop(command);
      case 'expect':
        return this.#expect(command);
      case 'receive':
        return this.#replayed(command) ?? this.#receive(command);
      case 'judge':
        return this.#replayed(command) ?? this.#judge(command);
      case 'ship':
        return this.#replayed(command) ?? this.#ship(command);
      case 'tend':
        return this.#tend(command);
      case 'drain':
        return this.#drain(command);
    }
  }

  #replayed(
    command: Exclude<Command, ExpectCommand | StopCommand | TendCommand | DrainCommand | TombstoneCommand>,
  ): Decided | null {
    const effect = this.#state.effects.get(command.kind === 'hold' ? holdKey(command) : commandKey(command));
    if (!effect) return null;
    if (effect.isTombstone === true) return reject({ code: 'reservation.tombstoned' });
    if (effect.actor !== command.actor) return reject({ code: 'reservation.taken' });
    if (!effect.bodyHash.equals(command.bodyHash)) return reject({ code: 'idempotency.mismatch' });
    const answer = effect.firstAnswer ? this.#views.firstAnswer(command.id, effect.firstAnswer) : effect.answer;
    return { ok: true, value: answer, replayed: true };
  }

  #hold(command: HoldCommand): Decided {
    const held = holdUnits(command, this.#state, this.#book, this.#keys);
    if (!held.ok) return held;
    const { bodyHash, actor, id } = command;
    this.#state.effects.set(holdKey(command), { bodyHash, answer: null, firstAnswer: held.value, actor });
    return { ok: true, value: this.#views.firstAnswer(id, held.value), replayed: false };
  }

  /** Its key is that of the hold which it refuses, so that of the two only one takes effect. */
  #tombstone({ owner, reservation: id, actor, person, bodyHash }: TombstoneCommand): Decided {
    const key = holdKey({ owner, id });
    const effect = this.#state.effects.get(key);
    if (effect) return { ok: true, value: effect.isTombstone === true ? 'made' : null, replayed: true };
    const { now } = this.#state;
    const nothing = { channel: 0, priority: 0, customerReference: null, destination: null, lines: [] };
    const by = { owner, id, actor, person, bodyHash };
    this.writes.newReservations.push({ key: nextOf(this.#keys), ...by, ...nothing, isTombstone: true, expiresAt: now });
    this.#state.effects.set(key, { bodyHash, answer: null, firstAnswer: null, actor, isTombstone: true });
    return { ok: true, value: 'made', replayed: false };
  }

  #lineIdsOf(command: Command): LineIds {
    if (command.kind === 'hold') return () => command.lineIds;
    const keys = reservationsOf(command);
    if (command.kind === 'verb' && command.verb.name === 'amend') {
      const { lines } = command.verb;
      return () => linesAfter(this.#stored(command.reservationKey).reservation, lines).map(({ id }) => id);
    }
    return (part) => this.#state.reservations.get(keys[part] ?? 0)?.reservation.lines.map(({ id }) => id) ?? [];
  }

  /** Limits come before a stored answer: who may not ask is not told what another was. */
  #forbidden(command: VerbCommand): Decided | null {
    const { reservation } = this.#stored(command.reservationKey);
    const isRepeated = this.#state.effects.has(commandKey(command));
    const concern = concernOf(reservation, doingOf(command.verb, isRepeated));
    const rejection = beyondLimits(command.limits, concern, this.#views);
    return rejection && reject(rejection);
  }

  #stored(key: number): StoredReservation {
    return this.#book.stored(key);
  }

  #verb(command: VerbCommand): Decided {
    const changed = carryOutVerb(command, this.#state, this.#book);
    return changed.ok ? this.#done(command, this.#views.reservation(changed.value)) : changed;
  }

  #allocate(command: AllocateCommand): Decided {
    const { supplies, rules, now } = this.#state;
    for (const [part, { reservationKey }] of command.parts.entries()) {
      const attached = attachedToOther(this.#stored(reservationKey).reservation, command.actor);
      if (attached) return reject({ ...attached, part });
    }
    const parts = command.parts.map(({ reservationKey, expectedVersion, moves }): AllocationPart => {
      return { reservation: this.#stored(reservationKey).reservation, expectedVersion, moves };
    });
    const decision = decideAllocate(parts, supplies, { rules, now, override: command.override });
    if (!decision.ok) return decision;
    const origin = { ...toldBy(command), reason: 'allocate', occurredAt: now };
    const deed = { origin, doer: command, fact: 'moved', trace: command.trace } as const;
    const moved = decision.value.effects.map((effect): AllocatedReservation => {
      const { id, owner, reservation } = this.#book.applyVerb(this.#stored(effect.reservation.key), effect, deed);
      return { id, owner, version: reservation.version };
    });
    return this.#done(command, { reservations: moved });
  }

  #movements(command: MovementsCommand): Decided {
    const applied = new AppliedMovements(command, this.#state, this.#book, this.#views).apply(() =>
      this.#waiting.serve(),
    );
    return applied.ok ? this.#done(command, applied.value) : applied;
  }

  #stop({ skus: [sku], changes, trace }: StopCommand): Decided {
    const supply = this.#book.supply(sku);
    const before = stopsOf(supply);
    const stops = changes.reduce(stopsAfter, before);
    if (stops !== before) this.#book.change({ supplies: new Map([[sku, withStops(supply, stops)]]) }, trace);
    if (opensWay(before, stops)) this.#waiting.offerInPassing(sku);
    return { ok: true, value: { version: this.#book.versionOf(sku) }, replayed: false };
  }

  #expect(command: ExpectCommand): Decided {
    const decision = expectLines(command, this.#state, this.#book);
    return decision.ok ? { ok: true, value: null, replayed: false } : decision;
  }

  #receive(command: ReceiveCommand): Decided {
    const received = new ReceivedLines(command, this.#state, this.#book, this.#waiting);
    return this.#done(command, received.apply(this.#views));
  }

  #judge(command: JudgeCommand): Decided {
    const judged = judgeInspection(command, this.#state, this.#book, this.#views);
    return judged.ok ? this.#done(command, judged.value) : judged;
  }

  #ship(command: ShipCommand): Decided {
    const shipped = new ShippedLines(command, this.#state, this.#book, this.#waiting).apply(this.#views);
    return shipped.ok ? this.#done(command, shipped.value) : shipped;
  }

  #tend({ skus, heal, offersAll = false }: TendCommand): Decided {
    const goOn = heal ? skus.filter((sku) => this.#tended.tend(sku, offersAll)) : [];
    return { ok: true, value: { goesOn: goOn.length > 0 }, replayed: false };
  }

  #drain({ skus: [sku] }: DrainCommand): Decided {
    drainSku(sku, this.#state, this.#book, this.#exceptions);
    return { ok: true, value: null, replayed: false };
  }

  #reapOverdue(): void {
    const locked = new Set(this.#state.supplies.keys());
    for (const { reservation } of this.#state.reservations.values()) {
      const effect = reap(reservation, this.#state.supplies, { locked, now: this.#state.now });
      if (effect) this.#book.byItself(effect, { reason: 'expire', occurredAt: reservation.expiresAt }, 'expired');
    }
  }

  #done(command: Keyed, answer: StoredAnswer): Decided {
    this.writes.commands.push({ command, answer });
    const { bodyHash, actor } = command;
    const effect: Effect = { bodyHash, answer, firstAnswer: null, actor };
    this.#state.effects.set(commandKey(command), effect);
    return { ok: true, value: answer, replayed: false };
  }

  /** Rows that changed, SKUs whose promises need another look, and what is told of promises that nobody can cover. */
  #finish(): void {
    const { newlyShort, changed, traces } = this.#book;
    for (const [sku, supply] of this.#state.supplies) {
      const before = this.#initial.get(sku);
      if (!before || before === supply) continue;
      const follows = consequencesOf(before, supply, { newlyShort: newlyShort.has(sku) });
      this.writes.changeRows(before, follows.rows);
      for (const use of changedFenceUses(before, supply)) this.writes.fenceUses.push({ sku, ...use });
      const version = this.#book.versionOf(sku);
      const stops = this.#noteStops(sku, before, supply) ? { stops: stopsOf(supply) } : {};
      const beside = this.#book.beside.get(sku);
      this.writes.changedSkus.push({
        sku,
        rows: follows.rows,
        version,
        trace: traces.get(sku) ?? null,
        beside,
        ...stops,
      });
      // What has just been looked at needs no other look, unless somebody has changed the SKU since.
      const needsLook = follows.needsLook || hasOtherConcerns(before, supply, this.#state.now);
      if (needsLook && changed.has(sku)) this.writes.tendLater(sku, follows.beginsAnew ? { below: null } : {});
    }
    for (const sku of this.#book.deferred) this.writes.tendLater(sku, { after: null });
    for (const [sku, mayMove] of this.#book.othersShort) this.writes.tendLater(sku, mayMove ? { below: null } : {});
    for (const supply of [...this.#state.supplies.values()]) this.#leaveOutSpent(supply);
    this.#tended.finish();
  }

  #leaveOutSpent(before: SkuSupply): void {
    const without = withoutSpent(before);
    if (!without) return;
    this.#state.supplies.set(before.sku, without.supply);
    for (const { detail } of without.lines) this.writes.spend(detail);
    for (const { key } of without.rows) this.writes.deletedRows.add(key);
  }

  /** Answers whether there are others than before. */
  #noteStops(sku: SkuKey, before: SkuSupply, after: SkuSupply): boolean {
    if (stopsOf(before) === stopsOf(after)) return false;
    const { set, lifted } = changedStops(stopsOf(before), stopsOf(after));
    for (const stop of set) this.writes.setStops.push({ sku, stop });
    if (set.some(({ drains }) => drains)) this.writes.drainTasks.set(sku, null);
    for (const stop of lifted) this.writes.liftedStops.push({ sku, stop });
    return true;
  }
}
