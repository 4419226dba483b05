/** Lines of a receipt as they are announced: all of them, or none. What says nothing new changes nothing. */
import {
  type Decision,
  type InboundLine,
  accept,
  decideExpect,
  inTransit,
  onTheWay,
  reject,
  rowOf,
  soundInTransit,
} from '@onepool/stock-domain';
import type { BatchState } from '../repository/load-batch.ts';
import type { StoredInboundLine } from '../repository/inbound-lines.ts';
import type { ExpectCommand } from '../requests/command.ts';
import type { ChangingBook } from './changing-book.ts';

type Expected = ExpectCommand['lines'][number];

export function expectLines(command: ExpectCommand, state: BatchState, book: ChangingBook): Decision<null> {
  for (const [index, line] of command.lines.entries()) {
    const isClosed = storedOf(line, state, book).closedAt !== null;
    if (isClosed && !line.isClosed) return reject({ code: 'inbound.line_closed', line: index + 1 });
  }
  for (const line of command.lines) expectLine(line, command, state, book);
  return accept(null);
}

/** A line as an earlier command of the batch has left it. */
export function storedOf(
  { detail }: { readonly detail: number },
  { inboundLines }: BatchState,
  { writes }: ChangingBook,
): StoredInboundLine {
  const stored = writes.inboundLines.get(detail) ?? inboundLines.get(detail);
  if (!stored) throw new Error(`Broken invariant: line ${detail} was not loaded`);
  return stored;
}

function expectLine(expected: Expected, command: ExpectCommand, state: BatchState, book: ChangingBook): void {
  const { sku, detail, node, dueAt, isClosed, quantity } = expected;
  const stored = storedOf(expected, state, book);
  // It is closed, and done with: nothing can be said of it any more.
  if (stored.closedAt !== null) return;
  const supply = book.supply(sku);
  const line: InboundLine = { detail, node, brings: 'receipt', dueAt, isClosed };
  const before = supply.inbound.find((one) => one.detail === detail);
  const row = rowOf(supply, onTheWay(line));
  const toCome = Math.max(0, quantity - stored.received);
  const isSame = before !== undefined && before.dueAt === dueAt && !isClosed && soundInTransit(row) === toCome;
  if (!isSame) {
    const { sourceKey: source, id: sourceEventId, trace } = command;
    const effect = decideExpect(sku, line, toCome, state.supplies);
    book.change(effect, trace);
    const origin = { reason: 'expect', source, sourceName: null, sourceEventId, occurredAt: state.now };
    book.post(effect.postings, origin);
  }
  if (isSame && stored.expected === quantity) return;
  const lost = stored.lost + (isClosed ? inTransit(row) : 0);
  const closedAt = isClosed ? state.now : null;
  book.writes.inboundLines.set(detail, { ...stored, expected: quantity, dueAt, lost, closedAt, isOpen: true });
}
