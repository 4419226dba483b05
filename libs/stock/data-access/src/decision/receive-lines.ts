/** Units that have arrived, line by line: who waits is served of them, and the line that has brought them is drained. Never refused. */
import type { ReceiptResult } from '@onepool/contracts';
import {
  type NodeKey,
  type Posting,
  type ReceiptEffect,
  type SkuKey,
  decideReceive,
  receiptRuleOf,
  seenBy,
} from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import type { ReceiveCommand } from '../requests/command.ts';
import { type Views, isoTime } from '../requests/views.ts';
import type { LedgerOrigin } from './batch-writes.ts';
import type { ChangingBook } from './changing-book.ts';
import { storedOf } from './expect-lines.ts';
import { openInspections } from './open-inspections.ts';
import { ridersOn } from './riders-on.ts';
import type { ServedWaiting } from './serve-waiting.ts';
import { lateNoteOf, originOf, rowsAt } from './told-lines.ts';

type Line = ReceiveCommand['lines'][number];

export class ReceivedLines {
  readonly #touched = new Map<SkuKey, Set<NodeKey>>();
  readonly #origin: LedgerOrigin;

  readonly #command: ReceiveCommand;
  readonly #state: BatchState;
  readonly #book: ChangingBook;
  readonly #waiting: ServedWaiting;

  constructor(command: ReceiveCommand, state: BatchState, book: ChangingBook, waiting: ServedWaiting) {
    this.#command = command;
    this.#state = state;
    this.#book = book;
    this.#waiting = waiting;
    this.#origin = originOf(command, state.now);
  }

  apply(views: Views): ReceiptResult {
    const lines = this.#command.lines.map((line, index) => this.#receive(line, index + 1));
    const skus = rowsAt(this.#touched, this.#book, views);
    return { id: this.#command.id, recordedAt: isoTime(this.#state.now), lines, skus };
  }

  #receive(line: Line, no: number): ReceiptResult['lines'][number] {
    const { sku, node, detail, quantity: units, damaged } = line;
    const { supplies, rules, now, watermarks } = this.#state;
    const { total: count, states: counted } = seenBy(watermarks, sku, node, this.#origin.occurredAt);
    const late = count !== null;
    const closes = this.#closes(line);
    const { to } = receiptRuleOf(rules.receiptPolicies, node, this.#origin.reason);
    const receipt = { sku, node, line: detail, units, damaged, to, closes, isLate: late, counted };
    const riders = ridersOn(this.#state, this.#book.supply(sku), detail);
    const recipients = { riders, waiting: this.#waiting.waitingFor(sku) };
    const effect = decideReceive(receipt, recipients, supplies, { rules, now });
    this.#write(line, effect, closes);
    const { toInspect } = effect;
    if (toInspect > 0) this.#inspect(line, no, toInspect);
    const { writes } = this.#book;
    if (count) writes.lateNotes.push(lateNoteOf(this.#origin, 'receipt', line, count, null));
    for (const [state, seen] of counted)
      for (const { units: quantity } of effect.arrived.filter((one) => one.state === state))
        writes.lateNotes.push(lateNoteOf(this.#origin, 'receipt', { sku, node, quantity }, seen, state));
    this.#touched.set(sku, (this.#touched.get(sku) ?? new Set<NodeKey>()).add(node));
    const { lost, freeing } = effect;
    const over = detail === null ? 0 : effect.over;
    return { over, lost, served: freeing.converted, ...(toInspect === 0 ? {} : { toInspect }), late };
  }

  #inspect({ sku, node, detail }: Line, line: number, quantity: number): void {
    const { actor, id: commandId, reason } = this.#command;
    const cause = { origin: 'receipt', actor, commandId, line, detail, refused: null, reason } as const;
    openInspections([{ sku, node, quantity }], cause, this.#state, this.#book.writes);
  }

  /** A line is done with when all that was announced is there, or was given up on with an earlier leg. */
  #closes({ detail, quantity, closes }: Line): boolean {
    if (detail === null) return false;
    const { received, lost, expected } = storedOf({ detail }, this.#state, this.#book);
    return closes || received + lost + quantity >= expected;
  }

  #write({ sku, detail, quantity }: Line, received: ReceiptEffect, closes: boolean): void {
    const { effects, effect, freeing } = received;
    const { supplies, postings } = effect;
    this.#waiting.apply(sku, { effects, effect: { supplies, postings }, nodes: [freeing] }, (posting) =>
      isArrival(posting) ? this.#origin : null,
    );
    if (detail === null) return;
    const { writes } = this.#book;
    const stored = storedOf({ detail }, this.#state, this.#book);
    writes.inboundLines.set(detail, {
      ...stored,
      received: stored.received + quantity,
      lost: stored.lost + received.lost,
      closedAt: stored.closedAt ?? (closes ? this.#state.now : null),
      isOpen: this.#book.supply(sku).inbound.some((one) => one.detail === detail),
    });
  }
}

/** What came in, in which state, and what is on its way no longer; the rest was done to serve who waits. */
const isArrival = ({ at, from, to }: Posting): boolean =>
  from === 'external' ||
  to === 'external' ||
  to === 'damaged' ||
  to === 'quality_control' ||
  (at.kind === 'incoming' && to === 'expected');
