/** What the domain makes of a counted book, as far as a database shows it. */
import type { StockRow as StockRowView } from '@onepool/contracts';
import {
  type Account,
  type Stage,
  type SupplyRow,
  type Watermark,
  NO_INBOUND,
  SupplyDraft,
  applyDifference,
  consequencesOf,
  defer,
  emptyRow,
  isLate,
  isWaitedFor,
  leavesShort,
  onHand,
  resetDifference,
  rowAt,
  stockAt,
} from '@onepool/stock-domain';
import { COUNTING, type Count, type CountedBook, type Mark, NODES, nodeCode } from './counted-books.ts';

export interface Outcome {
  /** By node, as all lists here are, and without their keys. */
  readonly rows: readonly SupplyRow[];
  readonly future: readonly SupplyRow[];
  readonly version: number;
  readonly entries: readonly Entry[];
  readonly task: CountedBook['task'];
  readonly exceptions: readonly { readonly node: number; readonly quantity: number; readonly isOpen: boolean }[];
  readonly watermarks: readonly (Omit<Watermark, 'source'> & { readonly node: number })[];
  readonly refusals: readonly { readonly node: number; readonly code: string }[];
  /** Rows of the fact that tells of the change, as the contract shows them; null without one. */
  readonly told: readonly StockRowView[] | null;
  /** What that fact says came or went, by node. */
  readonly causes: readonly {
    readonly node: string;
    readonly source: string;
    readonly quantity: number;
    readonly at: number;
  }[];
}

export interface Entry {
  readonly node: number;
  readonly from: Account;
  readonly to: Account;
  readonly quantity: number;
  readonly at: number;
  readonly hasRecordId: boolean;
}

const SKU = 1;
const byNode = (a: { readonly node: number }, b: { readonly node: number }): number => a.node - b.node;

/** Counts are settled in the order of nodes. `deductsAt` is null of a physical count. */
export function expectedOf(book: CountedBook, deductsAt: Stage | null): Outcome {
  const measure = deductsAt === null ? 'physical' : 'availability';
  const before = { sku: SKU, rows: book.rows, future: book.future, inbound: NO_INBOUND };
  const draft = new SupplyDraft(new Map([[SKU, before]]));
  const entries: Entry[] = [];
  const refusals: { node: number; code: string }[] = [];
  const marks = book.marks.filter(({ state }) => state === null);
  const causes: Outcome['causes'][number][] = [];
  let isDeferred = false;
  for (const count of book.counts.toSorted(byNode)) {
    const code = refusalOf(
      book.marks.filter(({ state }) => state === null),
      count,
    );
    if (code !== null) {
      refusals.push({ node: count.node, code });
      continue;
    }
    marks.push({ node: count.node, source: COUNTING, deductsAt, state: null, at: count.at });
    const row = book.rows.find(({ node }) => node === count.node) ?? emptyRow(stockAt(count.node));
    const difference = resetDifference(row, count.quantity, measure, sinceCount(book, count, deductsAt));
    if (difference === 0) continue;
    causes.push({ node: nodeCode(count.node), source: COUNTING, quantity: difference, at: count.at });
    const known = draft.effect().postings.length;
    draft.change(SKU, row, (there) => applyDifference(there, difference));
    const freed = rowAt(draft.supply(SKU), count.node).available - row.available;
    const deferred = isWaitedFor(before) ? Math.max(0, freed) : 0;
    if (deferred > 0) draft.change(SKU, row, (there) => defer(there, deferred));
    isDeferred ||= deferred > 0;
    for (const {
      at: { node },
      from,
      to,
      quantity,
    } of draft.effect().postings.slice(known))
      entries.push({ node, from, to, quantity, at: count.at, hasRecordId: count.hasRecordId });
  }
  const after = draft.supply(SKU);
  const { rows, needsLook, beginsAnew } = consequencesOf(before, after, { newlyShort: entries.some(leavesShort) });
  return {
    rows: after.rows.toSorted(byNode),
    future: after.future.toSorted((a, b) => a.detail - b.detail),
    version: book.version + (rows.length > 0 ? 1 : 0),
    entries,
    // Units that somebody may wait for are given out in slices. An unchanged SKU is nobody's business, however short it is.
    task:
      isDeferred || (rows.length > 0 && needsLook)
        ? { isDue: true, beforeKey: beginsAnew ? null : (book.task?.beforeKey ?? null) }
        : book.task,
    // They are for the look that the task leads to.
    exceptions: book.exceptions.toSorted(byNode).map(({ node, quantity }) => ({ node, quantity, isOpen: true })),
    watermarks: NODES.flatMap((node) => newestOf(marks.filter((mark) => mark.node === node)) ?? []),
    refusals,
    told: rows.length > 0 ? rows.toSorted(byNode).map(shown) : null,
    causes,
  };
}

function shown(row: SupplyRow): StockRowView {
  const { key: _, kind: __, detail: ___, node, ...units } = row;
  return { ...units, node: nodeCode(node), onHand: onHand(row) };
}

/** A count that a newer one of the row has overtaken is refused; the source's own is the better reason. */
export function refusalOf(marks: readonly Mark[], { node, at }: Pick<Count, 'node' | 'at'>): string | null {
  const newer = marks.filter((mark) => mark.node === node && mark.at > at);
  if (newer.length === 0) return null;
  return newer.some(({ source }) => source === COUNTING) ? 'feed.stale' : 'feed.superseded';
}

/** What has happened since a count, and how many units its source had deducted by then: those past the stage at which it does. */
function sinceCount(
  { events, promises }: CountedBook,
  { node, at }: Count,
  deductsAt: Stage | null,
): Parameters<typeof resetDifference>[3] {
  const mark: Watermark = { capturedAt: at, deductsAt, source: COUNTING };
  const since = events.filter((event) => event.node === node && !isLate(mark, event.at));
  const sum = (some: readonly number[]): number => some.reduce((total, one) => total + one, 0);
  const came = since.filter(({ from }) => from === 'external').map(({ quantity }) => quantity);
  const went = since.filter(({ to }) => to === 'external').map(({ quantity }) => quantity);
  const isSidelined = (account: Account): boolean => account === 'damaged' || account === 'quality_control';
  const into = since.filter(({ to }) => isSidelined(to)).map(({ quantity }) => quantity);
  const outOf = since.filter(({ from }) => isSidelined(from)).map(({ quantity }) => quantity);
  const ours = promises.filter((promise) => promise.node === node);
  const later = ours.flatMap(({ steps }) => steps).filter((step) => step.stage === deductsAt && step.at > at);
  return {
    physicalDelta: sum(came) - sum(went),
    sidelined: sum(into) - sum(outOf),
    acknowledged:
      deductsAt === null ? 0 : sum(ours.map((one) => one[deductsAt])) - sum(later.map(({ units }) => units)),
  };
}

/** From the one that knows most of a moment to the one that knows least. */
const BY_KNOWLEDGE = [null, 'shipped', 'picked', 'accepted'];

function newestOf(marks: readonly Mark[]): Outcome['watermarks'][number] | null {
  const place = ({ deductsAt }: Mark): number => BY_KNOWLEDGE.indexOf(deductsAt);
  const [newest] = marks.toSorted((a, b) => b.at - a.at || place(a) - place(b));
  return newest ? { node: newest.node, capturedAt: newest.at, deductsAt: newest.deductsAt } : null;
}
