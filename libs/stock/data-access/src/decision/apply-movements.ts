/**
 * Movements as a source tells them: plain ones by the domain's rules, and hand-overs that are a fulfilment's. What a source's event
 * has done before is not done again.
 */
import type { MovementsResult } from '@onepool/contracts';
import {
  type Decision,
  type LateUnits,
  type NodeKey,
  type SkuKey,
  type StockMovement,
  accept,
  countedAsShipped,
  decideHandOver,
  decideMovements,
  rowKey,
  toldKey,
} from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import { eventKey } from '../repository/told.ts';
import type { MovementsCommand } from '../requests/command.ts';
import { type Views, isoTime } from '../requests/views.ts';
import type { LedgerOrigin } from './batch-writes.ts';
import type { ChangingBook } from './changing-book.ts';
import { openInspections, takenToInspection } from './open-inspections.ts';

type Movement = MovementsCommand['movements'][number];
type HandedOver = NonNullable<MovementsResult['handedOver']>[number];
/** A movement with its place in the command, from 0. */
type Placed = readonly [index: number, movement: Movement];

export class AppliedMovements {
  readonly #late: LateUnits[] = [];
  readonly #handedOver: HandedOver[] = [];
  readonly #touched = new Map<SkuKey, Set<NodeKey>>();
  readonly #occurredAt: number;

  readonly #command: MovementsCommand;
  readonly #state: BatchState;
  readonly #book: ChangingBook;
  readonly #views: Views;

  constructor(command: MovementsCommand, state: BatchState, book: ChangingBook, views: Views) {
    this.#command = command;
    this.#state = state;
    this.#book = book;
    this.#views = views;
    this.#occurredAt = Math.min(command.occurredAt ?? state.now, state.now);
  }

  /** All of them, or none: what names a fulfilment is never refused, so the others are decided first. `serve` is called before the answer. */
  apply(serve: () => void): Decision<MovementsResult> {
    const all = this.#command.movements.map((movement, index): Placed => [index, movement]);
    const repeated = all.filter(([, { sourceEventId }]) => this.#isTaken(sourceEventId));
    const fresh = all.filter((one) => !repeated.includes(one));
    const plain = this.#applyPlain(fresh.filter(([, { handOver }]) => handOver === null));
    if (!plain.ok) return plain;
    for (const one of fresh) this.#handOver(one);
    this.#takeEvents(fresh);
    serve();
    return accept(this.#answer(repeated.map(([index]) => index + 1)));
  }

  #isTaken(id: string | null): boolean {
    return id !== null && this.#state.takenEvents.has(eventKey(this.#command.sourceKey, id));
  }

  #takeEvents(fresh: readonly Placed[]): void {
    const { sourceKey: source } = this.#command;
    for (const [, { sourceEventId: id }] of fresh) {
      if (id === null || this.#isTaken(id)) continue;
      this.#state.takenEvents.add(eventKey(source, id));
      this.#book.writes.takenEvents.push({ source, id, command: this.#command });
    }
  }

  #originOf({ reason, type, sourceEventId }: Movement): LedgerOrigin {
    const { sourceKey: source, sourceName, id } = this.#command;
    const occurredAt = this.#occurredAt;
    return { reason: reason ?? type, source, sourceName, sourceEventId: sourceEventId ?? id, occurredAt };
  }

  #applyPlain(movements: readonly Placed[]): Decision<null> {
    const { supplies: before, watermarks } = this.#state;
    const time = { occurredAt: this.#occurredAt, watermarks };
    const decision = decideMovements(
      movements.map(([, movement]) => movement),
      before,
      time,
    );
    if (!decision.ok) {
      const { rejection } = decision;
      // A refusal counts the lines that were decided; the caller counts those that it sent.
      if (rejection.code !== 'movement.exceeds_stock') return decision;
      return { ok: false, rejection: { ...rejection, line: (movements[rejection.line - 1]?.[0] ?? 0) + 1 } };
    }
    const { supplies, postings, postingsPerMovement, late } = decision.value;
    this.#book.change({ supplies }, this.#command.trace);
    let next = 0;
    for (const [place, [index, movement]] of movements.entries()) {
      const count = postingsPerMovement[place] ?? 0;
      const made = postings.slice(next, next + count);
      this.#book.post(made, this.#originOf(movement));
      this.#inspect(takenToInspection(made), movement, index + 1);
      next += count;
      this.#touch(movement);
    }
    for (const units of late) this.#noteLate(units, movements[units.index]);
    return accept(null);
  }

  #inspect(units: ReturnType<typeof takenToInspection>, { reason, type }: Movement, line: number): void {
    const { actor, id: commandId } = this.#command;
    const of = { actor, commandId, line, detail: null, refused: null };
    const cause = { origin: 'movement', reason: reason ?? type, ...of } as const;
    openInspections(units, cause, this.#state, this.#book.writes);
  }

  #noteLate({ index: _, ...units }: LateUnits, placed: Placed | undefined): void {
    if (!placed) return;
    const [index, movement] = placed;
    const { source, sourceEventId, occurredAt } = this.#originOf(movement);
    this.#late.push({ ...units, index });
    this.#book.writes.lateNotes.push({ ...units, kind: movement.type, source, sourceEventId, occurredAt });
  }

  #touch({ sku, node, toNode }: StockMovement): void {
    const nodes = this.#touched.get(sku) ?? new Set<NodeKey>();
    this.#touched.set(sku, nodes.add(node));
    if (toNode !== null) nodes.add(toNode);
  }

  #handOver([index, movement]: Placed): void {
    const { handOver, sku, node, quantity } = movement;
    if (!handOver) return;
    const { fulfilment, reservationKey } = handOver;
    const stored = this.#state.reservations.get(reservationKey);
    if (!stored) throw new Error(`Broken invariant: reservation ${reservationKey} was not loaded`);
    const { supplies, watermarks, told: books } = this.#state;
    const watermark = watermarks.get(rowKey(sku, node));
    const book = books.get(reservationKey) ?? new Map();
    const { verb, told, plain } = decideHandOver(stored.reservation, { fulfilment, sku, node, quantity }, supplies, {
      teller: String(this.#command.sourceKey),
      book,
      counted: (backing, units) => countedAsShipped(backing, units, watermark, this.#occurredAt),
    });
    const now = new Map([[toldKey(fulfilment, sku), told]]);
    books.set(reservationKey, new Map([...book, ...now]));
    this.#book.writes.tell(reservationKey, now);
    const origin = this.#originOf(movement);
    const { trace } = this.#command;
    if (verb) this.#book.applyVerb(stored, verb, { origin, doer: this.#command, fact: 'fulfilled', trace });
    if (plain > 0) this.#applyPlain([[index, { ...movement, quantity: plain, handOver: null }]]);
    this.#touch(movement);
    const fulfilled = verb ? verb.changes.reduce((sum, change) => sum + change.quantity, 0) : 0;
    this.#handedOver.push({ line: index + 1, reservation: stored.id, owner: stored.owner, fulfilled, beyond: plain });
  }

  #answer(repeated: readonly number[]): MovementsResult {
    const skus = [...this.#touched].map(([sku, nodes]) => {
      const supply = this.#book.supply(sku);
      const rows = supply.rows.filter(({ node }) => nodes.has(node));
      const version = this.#book.versionOf(sku);
      return { sku: this.#views.sku(sku), version, rows: this.#views.stockRows({ ...supply, rows }) };
    });
    const late = this.#late.map(({ index, node, state, quantity, count }) => ({
      line: index + 1,
      node: this.#views.node(node),
      ...(state === null ? {} : { state }),
      quantity,
      countedAt: isoTime(count.capturedAt),
      countedBy: count.source,
    }));
    return {
      id: this.#command.id,
      recordedAt: isoTime(this.#state.now),
      skus,
      ...(repeated.length === 0 ? {} : { repeated: [...repeated] }),
      ...(this.#handedOver.length === 0 ? {} : { handedOver: this.#handedOver }),
      late,
    };
  }
}
