/** Units that have left with a leg of a transfer, all of its lines or none; and what receipts have told of them before. */
import { RIDERS_MAX, type ShipResult } from '@onepool/contracts';
import {
  type Decision,
  type Rider,
  type Shipment,
  type SkuKey,
  type SkuSupply,
  type TravelledUnits,
  type SeenBy,
  accept,
  attachedToOther,
  decideReceive,
  decideShip,
  emptyRow,
  onTheWay,
  reject,
  rowOf,
  seenBy,
} from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import type { ShipCommand } from '../requests/command.ts';
import { type Views, isoTime } from '../requests/views.ts';
import type { LedgerOrigin } from './batch-writes.ts';
import type { ChangingBook } from './changing-book.ts';
import { storedOf } from './expect-lines.ts';
import { openInspections, takenToInspection } from './open-inspections.ts';
import { ridersOn } from './riders-on.ts';
import type { ServedWaiting } from './serve-waiting.ts';
import { lateNoteOf, originOf, rowsAt } from './told-lines.ts';

type Line = ShipCommand['lines'][number];

export class ShippedLines {
  readonly #origin: LedgerOrigin;

  readonly #command: ShipCommand;
  readonly #state: BatchState;
  readonly #book: ChangingBook;
  readonly #waiting: ServedWaiting;

  constructor(command: ShipCommand, state: BatchState, book: ChangingBook, waiting: ServedWaiting) {
    this.#command = command;
    this.#state = state;
    this.#book = book;
    this.#waiting = waiting;
    this.#origin = originOf(command, state.now);
  }

  apply(views: Views): Decision<ShipResult> {
    const { lines, transfer, id } = this.#command;
    const riders = this.#riders();
    if (!riders.ok) return riders;
    const { rules, now } = this.#state;
    const shipments = lines.map((line, index) => this.#shipmentOf(line, riders.value[index] ?? []));
    const decision = decideShip(shipments, this.#supplies(), { rules, now });
    if (!decision.ok) return decision;
    const { effects, effect, sent } = decision.value;
    this.#book.change(effect, this.#command.trace);
    this.#book.post(effect.postings, this.#origin);
    const { trace } = this.#command;
    const deed = { origin: this.#origin, doer: this.#command, fact: 'moved', trace } as const;
    for (const one of effects) this.#book.applyVerb(this.#storedReservation(one.reservation.key), one, deed);
    // A late leg frees units where they were promised.
    this.#waiting.serve();
    const arrived = lines.map((line, index) => this.#note(line, index + 1));
    const shipped = lines.map((line, index) => ({
      line: line.line,
      sent: (sent[index] ?? []).map(({ state, units }: TravelledUnits) => ({ state, quantity: units })),
      riding: line.riders.reduce((sum, { selected }) => sum + selected.quantity, 0),
      arrived: arrived[index] ?? 0,
      late: this.#seen(line).total !== null,
    }));
    const left = new Set([this.#command.from]);
    const skus = rowsAt(new Map(lines.map(({ sku }) => [sku, left])), this.#book, views);
    return accept({ id, transfer, recordedAt: isoTime(now), lines: shipped, skus });
  }

  /** By line. */
  #riders(): Decision<readonly (readonly Rider[])[]> {
    const { lines, actor } = this.#command;
    const all = lines.flatMap(({ riders }) => riders);
    for (const [part, { reservationKey }] of all.entries()) {
      const attached = attachedToOther(this.#storedReservation(reservationKey).reservation, actor);
      if (attached) return reject({ ...attached, part });
    }
    const riders = all.length + (this.#state.riding.get(lines[0]?.detail ?? 0) ?? 0);
    if (all.length > 0 && riders > RIDERS_MAX)
      return reject({ code: 'transfer.too_large', riders, ridersMax: RIDERS_MAX });
    return accept(
      lines.map((line) =>
        line.riders.map(({ reservationKey, selected }) => {
          return { reservation: this.#storedReservation(reservationKey).reservation, selected };
        }),
      ),
    );
  }

  #storedReservation(key: number) {
    const stored = this.#state.reservations.get(key);
    if (!stored) throw new Error(`Broken invariant: reservation ${key} was not loaded`);
    return stored;
  }

  #shipmentOf(line: Line, riders: readonly Rider[]): Shipment {
    const { detail, sku, to, quantity: units, state, dueAt } = line;
    const before = storedOf(line, this.#state, this.#book).dueAt;
    const due = dueAt === undefined ? before : dueAt;
    const inbound = { detail, node: to, brings: 'transfer', dueAt: due, isClosed: false } as const;
    const { from } = this.#command;
    const { total, states: counted } = this.#seen(line);
    return { sku, from, line: inbound, units, state, riders, isLate: total !== null, counted };
  }

  /** The counts that have seen the units, where they left unless told otherwise. */
  #seen({ sku }: Line, node = this.#command.from): SeenBy {
    return seenBy(this.#state.watermarks, sku, node, this.#origin.occurredAt);
  }

  /** The book, in which lines that were done with have their rows again, each with its key: backings may stand on it still. */
  #supplies(): ReadonlyMap<SkuKey, SkuSupply> {
    const reopened = new Map<SkuKey, SkuSupply>();
    for (const line of this.#command.lines) {
      const { sku, detail, to: node } = line;
      const { supplyKey } = storedOf(line, this.#state, this.#book);
      const supply = reopened.get(sku) ?? this.#book.supply(sku);
      const row = rowOf(supply, onTheWay({ node, detail }));
      if (supplyKey === null || row.key !== 0) continue;
      const again = { ...emptyRow(onTheWay({ node, detail })), key: supplyKey };
      reopened.set(sku, { ...supply, future: [...supply.future, again] });
    }
    return reopened.size === 0 ? this.#state.supplies : new Map([...this.#state.supplies, ...reopened]);
  }

  /** What is said of the line from now on. Answers how many of its units have arrived by what receipts told before. */
  #note(line: Line, no: number): number {
    const { detail, sku, to: node, quantity, dueAt } = line;
    const before = storedOf(line, this.#state, this.#book);
    const { key: supplyKey } = rowOf(this.#book.supply(sku), onTheWay({ node, detail }));
    const expected = before.expected + quantity;
    const due = dueAt === undefined ? before.dueAt : dueAt;
    const shipped = { ...before, expected, dueAt: due, closedAt: null, supplyKey, isOpen: true };
    this.#book.writes.inboundLines.set(detail, shipped);
    const { total, states } = this.#seen(line);
    const gone = { sku, node: this.#command.from, quantity: -quantity };
    const { lateNotes } = this.#book.writes;
    if (total) lateNotes.push(lateNoteOf(this.#origin, 'ship', gone, total, null));
    for (const [state, count] of states)
      if (state === line.state) lateNotes.push(lateNoteOf(this.#origin, 'ship', gone, count, state));
    const settled = before.received + before.lost;
    const arrived = Math.min(quantity, Math.max(0, settled - before.expected));
    if (arrived > 0) this.#land(line, no, arrived, settled >= expected);
    return arrived;
  }

  /** These units are in the book of their destination, since a receipt told of them as more than was expected. */
  #land(line: Line, no: number, units: number, closes: boolean): void {
    const { detail, sku, to: node } = line;
    const { supplies, rules, now } = this.#state;
    const { states: counted } = this.#seen(line, node);
    const there = { sku, node, line: detail, units, damaged: null } as const;
    const receipt = { ...there, to: 'available', closes, isLate: true, counted } as const;
    const riders = ridersOn(this.#state, this.#book.supply(sku), detail);
    const waiting = this.#waiting.waitingFor(sku);
    const { effects, effect, freeing } = decideReceive(receipt, { riders, waiting }, supplies, { rules, now });
    this.#waiting.apply(sku, { effects, effect, nodes: [freeing] }, () => this.#origin);
    const { writes } = this.#book;
    const { actor, id: commandId, reason } = this.#command;
    // Units that travelled to be looked at were told by the receipt as any others.
    const cause = { origin: 'receipt', actor, commandId, line: no, detail, refused: null, reason } as const;
    openInspections(takenToInspection(effect.postings), cause, this.#state, writes);
    const stored = storedOf({ detail }, this.#state, this.#book);
    if (closes) writes.inboundLines.set(detail, { ...stored, closedAt: now, isOpen: true });
  }
}
