/** Physical facts told by other systems. They are not asked for permission; only impossible ones are refused. */
import { type NamedState, movable, moveState, receive, removable } from './arithmetic.ts';
import { NO_WATERMARKS, type Watermark, type Watermarks, isLate, rowKey } from './feed.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import type { Decision } from './rejection.ts';
import { accept, reject } from './result.ts';
import { type SupplyRow, stockAt } from './supply-row.ts';
import { type Supplies, SupplyDraft, type SupplyEffect, rowAt } from './supply.ts';
import { type TravelledUnits, leave, leaveLate, receiveLate, travelStates } from './travel.ts';

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

/** Units that a row's newest count has already seen: they neither come to the book nor leave it. */
export interface LateUnits {
  /** Of the movement, from 0. */
  readonly index: number;
  readonly sku: SkuKey;
  readonly node: NodeKey;
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
 * count has already seen moves states only: it neither adds units to the book nor takes them.
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
    const { sku } = movement;
    const countOf = (node: NodeKey): Watermark | null => {
      const count = time.watermarks.get(rowKey(sku, node));
      return count && isLate(count, time.occurredAt) ? count : null;
    };
    const there = takeable(rowAt(draft.supply(sku), movement.node), movement, countOf(movement.node) !== null);
    const wanted = Math.abs(movement.quantity);
    if (there !== null && there < wanted) return reject({ code: 'movement.exceeds_stock', line: index + 1, there });
    applyMovement(draft, movement, (node, quantity) => {
      const count = countOf(node);
      if (count) late.push({ index, sku, node, quantity, count });
      return count !== null;
    });
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

/** Units the movement may take from a state; null where physical truth sets no bound. */
function takeable(row: SupplyRow, movement: StockMovement, isCounted: boolean): number | null {
  const states = changeOfState(movement);
  if (states) return movable(row, ...states);
  const state = leftState(movement);
  return state === null || isCounted || !isLeaving(movement) ? null : removable(row, state);
}

type Counted = (node: NodeKey, units: number) => boolean;

function applyMovement(draft: SupplyDraft, movement: StockMovement, isCounted: Counted): void {
  const { type, sku, node, toNode, quantity } = movement;
  const states = changeOfState(movement);
  if (states) return draft.change(sku, stockAt(node), (row) => moveState(row, ...states, Math.abs(quantity)));
  if (type !== 'transfer') {
    if (isLeaving(movement)) takeAway(draft, movement, isCounted);
    else add(draft, movement, { at: node, state: movement.to ?? 'available', units: quantity }, isCounted);
    return;
  }
  if (toNode === null) throw new Error('Broken invariant: a transfer without its destination');
  // Units that stay where they are keep their state: taking and giving would make them others.
  if (toNode === node) return;
  for (const { state, units } of takeAway(draft, movement, isCounted))
    add(draft, movement, { at: toNode, state, units }, isCounted);
}

/** Units leave a node, and are answered in the states in which they travel. */
function takeAway(draft: SupplyDraft, movement: StockMovement, isCounted: Counted): readonly TravelledUnits[] {
  const { sku, node } = movement;
  const units = Math.abs(movement.quantity);
  const state = leftState(movement);
  const isLate = isCounted(node, -units);
  let sent: readonly TravelledUnits[] = [];
  draft.change(sku, stockAt(node), (row) => {
    const change = isLate ? leaveLate(row, state ?? 'available', units) : leave(row, state, units);
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

function add(draft: SupplyDraft, { sku }: StockMovement, { at, state, units }: Arriving, isCounted: Counted): void {
  const isLate = isCounted(at, units);
  draft.change(sku, stockAt(at), (row) => (isLate ? receiveLate(row, state, units) : receive(row, state, units)));
}
