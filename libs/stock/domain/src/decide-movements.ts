/** Physical facts told by other systems. They are not asked for permission; only impossible ones are refused. */
import { type NamedState, movable, receive, removable } from './arithmetic.ts';
import { type SeenBy, seenBy, stateInBook } from './counted-states.ts';
import { NO_WATERMARKS, type Watermark, type Watermarks } from './feed.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import type { CountedState } from './stock-states.ts';
import { type SupplyRow, stockAt } from './supply-row.ts';
import { type Supplies, SupplyDraft, type SupplyEffect, rowAt } from './supply.ts';
import { type TravelledUnits, leave, leaveLate, receiveLate, restate, travelStates } from './travel.ts';

/** `scrap`: units leave for good. `state`: they stay, in another state; repair, and to and from inspection, are such. */
export type MovementType =
  'sale' | 'receipt' | 'found' | 'damage' | 'adjustment' | 'transfer' | 'safety_stock' | 'scrap' | 'state';

export interface StockMovement {
  readonly type: MovementType;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** Where a transfer arrives. */
  readonly toNode: NodeKey | null;
  /** Units; signed for `adjustment` and `safety_stock`, else ≥ 1. */
  readonly quantity: number;
  /**
   * The state that units leave. Without it what is for sale, of `scrap` what is damaged, and of `transfer` whatever physical events
   * take first, each in the state in which it is.
   */
  readonly from?: NamedState;
  /** The state that units enter: without it `available`, and of `damage` always `damaged`. */
  readonly to?: NamedState;
}

/** Units that a row's newest count has already seen: they neither come to the book nor leave it, or the state that was counted. */
export interface LateUnits {
  /** Of the movement, from 0. */
  readonly index: number;
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** Of which state the count was; null: of all that is there. */
  readonly state: CountedState | null;
  /** Units that would have come (> 0) or gone (< 0). */
  readonly quantity: number;
  readonly count: Watermark;
}

export interface MovementEffect extends SupplyEffect {
  readonly late: readonly LateUnits[];
  /** Number of postings that each movement made, in order: which posting belongs to which source event. */
  readonly postingsPerMovement: readonly number[];
}

/** When the movements happened, against the counts that may have seen them. */
export interface MovementTime {
  /** Milliseconds. */
  readonly occurredAt: number;
  readonly watermarks: Watermarks;
}

const AFTER_EVERY_COUNT: MovementTime = { occurredAt: Infinity, watermarks: NO_WATERMARKS };

/**
 * Applies all movements in order or, when one cannot be, none. `line` in a refusal counts from 1. What a row's newest
 * count has already seen moves states only: it neither adds units to the book nor takes them; and of a state that was counted since,
 * it moves no unit that the count has moved.
 */
export function decideMovements(
  movements: readonly StockMovement[],
  supplies: Supplies,
  time: MovementTime = AFTER_EVERY_COUNT,
): Decision<MovementEffect> {
  const draft = new SupplyDraft(supplies);
  const postingsPerMovement: number[] = [];
  const late: LateUnits[] = [];
  let before = 0;
  for (const [index, movement] of movements.entries()) {
    const { sku, node } = movement;
    const counts: Counts = {
      seenAt: (at) => seenBy(time.watermarks, sku, at, time.occurredAt),
      note: (units) => late.push({ index, sku, ...units }),
    };
    const there = takeable(rowAt(draft.supply(sku), node), movement, counts.seenAt(node));
    const wanted = Math.abs(movement.quantity);
    if (there !== null && there < wanted) return reject({ code: 'movement.exceeds_stock', line: index + 1, there });
    applyMovement(draft, movement, counts);
    const count = draft.effect().postings.length;
    postingsPerMovement.push(count - before);
    before = count;
  }
  return accept({ ...draft.effect(), postingsPerMovement, late });
}

/** From which state to which units change that stay at the node; null if they do not stay. */
function changeOfState({ type, quantity, from, to }: StockMovement): readonly [NamedState, NamedState] | null {
  if (type === 'damage') return [from ?? 'available', 'damaged'];
  if (type === 'safety_stock') return quantity > 0 ? ['available', 'safety_stock'] : ['safety_stock', 'available'];
  return type === 'state' ? [from ?? 'available', to ?? 'available'] : null;
}

/** The state that units leave with the node; null: what physical events take first. */
const leftState = ({ type, from }: StockMovement): NamedState | null => from ?? (type === 'scrap' ? 'damaged' : null);

const isLeaving = ({ type, quantity, node, toNode }: StockMovement): boolean =>
  type === 'sale' ||
  type === 'scrap' ||
  (type === 'adjustment' && quantity < 0) ||
  (type === 'transfer' && toNode !== node);

/** Units the movement may take from a state; null where physical truth sets no bound, or a count has taken them before. */
function takeable(row: SupplyRow, movement: StockMovement, seen: SeenBy): number | null {
  const states = changeOfState(movement);
  if (states) return states.some((state) => stateInBook(state, seen.states) !== state) ? null : movable(row, ...states);
  const state = leftState(movement);
  if (state === null || seen.total !== null || !isLeaving(movement)) return null;
  return removable(row, stateInBook(state, seen.states));
}

/** What counts have seen of a movement. */
interface Counts {
  readonly seenAt: (node: NodeKey) => SeenBy;
  readonly note: (units: Omit<LateUnits, 'index' | 'sku'>) => void;
}

function applyMovement(draft: SupplyDraft, movement: StockMovement, counts: Counts): void {
  const { type, node, toNode, quantity } = movement;
  const states = changeOfState(movement);
  if (states) return changeState(draft, movement, states, counts);
  if (type !== 'transfer') {
    if (isLeaving(movement)) takeAway(draft, movement, counts);
    else add(draft, movement, { at: node, state: movement.to ?? 'available', units: quantity }, counts);
    return;
  }
  if (toNode === null) throw new Error('Broken invariant: a transfer without its destination');
  // Units that stay where they are keep their state: taking and giving would make them others.
  if (toNode === node) return;
  for (const { state, units } of takeAway(draft, movement, counts))
    add(draft, movement, { at: toNode, state, units }, counts);
}

function changeState(
  draft: SupplyDraft,
  { sku, node, quantity }: StockMovement,
  [from, to]: readonly [NamedState, NamedState],
  counts: Counts,
): void {
  const units = Math.abs(quantity);
  const { states } = counts.seenAt(node);
  noteState(counts, node, from, -units);
  noteState(counts, node, to, units);
  draft.change(sku, stockAt(node), (row) => restate(row, stateInBook(from, states), stateInBook(to, states), units));
}

/** Units leave a node, and are answered in the states in which they travel. */
function takeAway(draft: SupplyDraft, movement: StockMovement, counts: Counts): readonly TravelledUnits[] {
  const { sku, node } = movement;
  const units = Math.abs(movement.quantity);
  const state = leftState(movement);
  const isLate = noteTotal(counts, node, -units);
  if (state !== null) noteState(counts, node, state, -units);
  const left = stateInBook(state ?? 'available', counts.seenAt(node).states);
  let sent: readonly TravelledUnits[] = [];
  draft.change(sku, stockAt(node), (row) => {
    const change = isLate ? leaveLate(row, left, units) : leave(row, left, units);
    sent = travelStates(change.transfers);
    return change;
  });
  if (state === null && !isLate) return sent;
  return [{ state: state === 'damaged' || state === 'quality_control' ? state : 'available', units }];
}

interface Arriving {
  readonly at: NodeKey;
  readonly state: NamedState;
  readonly units: number;
}

function add(draft: SupplyDraft, { sku }: StockMovement, { at, state, units }: Arriving, counts: Counts): void {
  const isLate = noteTotal(counts, at, units);
  noteState(counts, at, state, units);
  const into = stateInBook(state, counts.seenAt(at).states);
  draft.change(sku, stockAt(at), (row) => (isLate ? receiveLate(row, into, units) : receive(row, into, units)));
}

/** Answers whether the newest count of all that is there has seen the units. */
function noteTotal({ seenAt, note }: Counts, node: NodeKey, quantity: number): boolean {
  const { total } = seenAt(node);
  if (total) note({ node, state: null, quantity, count: total });
  return total !== null;
}

function noteState({ seenAt, note }: Counts, node: NodeKey, state: NamedState, quantity: number): void {
  for (const [counted, count] of seenAt(node).states)
    if (counted === state) note({ node, state: counted, quantity, count });
}
