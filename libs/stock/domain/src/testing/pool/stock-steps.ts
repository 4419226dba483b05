/** Steps of a history in which time passes and things happen at nodes. */
import assert from 'node:assert/strict';
import { countState } from '../../counted-states.ts';
import { type StockMovement, decideMovements } from '../../decide-movements.ts';
import { placeInTime } from '../../event-time.ts';
import { applyDifference, newerCount, resetDifference, rowKey } from '../../feed.ts';
import { STAGES, type Stage, open } from '../../reservation.ts';
import type { CountedState } from '../../stock-states.ts';
import { SupplyDraft, noSupply, rowAt } from '../../supply.ts';
import { type SupplyRow, net, stockAt } from '../../supply-row.ts';
import { heal, tend } from './own-steps.ts';
import { pinnedConfirmed } from './picks.ts';
import { type PlayedPool, UNJUDGED } from './played-pool.ts';
import type { Unsold, Verdict } from './pool.ts';
import { acknowledge, leaveParts } from './promise-steps.ts';
import { isWaitedFor } from './serving.ts';
import { UNSOLD } from './stages.ts';

export function wait(pool: PlayedPool, ms: number): void {
  pool.model.now += ms;
  pool.model.at = pool.now;
}

/** A busy till sells what is free where units of a reservation stand, and some of what is promised, which may be healed at once. */
export function rush(pool: PlayedPool, pick: number, units: number, heals: boolean): void {
  const place = pool.lock(pick)?.backings.find((one) => one.kind === 'stock' && open(one) > 0);
  if (!place) return;
  const { sku, node } = place;
  const { available, safetyStock } = pool.model.rowOf(sku, node);
  move(pool, { type: 'sale', sku, node, toNode: null, quantity: available + safetyStock + units });
  if (heals) heal(pool, sku);
}

export function move(pool: PlayedPool, movement: StockMovement): void {
  const { sku, quantity } = movement;
  pool.reap(new Set([sku]));
  const isWaited = isWaitedFor(pool.model, sku);
  const verdict = happen(pool, movement);
  const decision = decideMovements([movement], pool.supplies, {
    occurredAt: pool.model.at,
    watermarks: pool.watermarks,
  });
  assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
  if (decision.ok) {
    pool.apply(decision.value);
    pool.inspect(decision.value);
  }
  pool.serve();
  pool.told({ kind: 'movement', ...movement }, verdict);
  // Told in a feed, it leaves units for a later slice. About half of them may be.
  if (pool.options.isCaller && isWaited && quantity % 2 === 0) tend(pool, sku);
}

function happen(pool: PlayedPool, { type, sku, node, toNode, quantity }: StockMovement): Verdict {
  if (type === 'damage') return pool.model.damage(sku, node, quantity);
  if (type === 'scrap') return pool.model.scrap(sku, node, quantity);
  if (type === 'safety_stock') return pool.model.setAside(sku, node, quantity);
  if (type === 'transfer' && toNode === node) return 'done';
  if (type === 'transfer' && toNode !== null) pool.model.travel(sku, node, toNode, quantity);
  else if (!pool.model.hasSeen(sku, node)) pool.model.happen(sku, node, type === 'sale' ? -quantity : quantity);
  return 'done';
}

export interface Counted {
  readonly sku: number;
  readonly node: number;
  readonly units: number;
  /** Of availability: from which stage on its source leaves out what its node works on. Null: of all that is there. */
  readonly stage: Stage | null;
  /** Milliseconds before now at which it was captured, by its own clock; below 0 that clock is ahead. */
  readonly agoMs: number;
  /** By how much that clock says that it was sent in the future; null if it says nothing. */
  readonly aheadMs: number | null;
}

/** A source tells what it counted; told again, it changes nothing. */
export function count(pool: PlayedPool, counted: Counted): void {
  const { sku, node, units, agoMs, aheadMs } = counted;
  // Who judges says no time, and the ledger is not to be changed afterwards.
  const stage = pool.options.isCaller && hasJudged(pool, sku) ? null : counted.stage;
  pool.reap(new Set([sku]));
  const { model, stages, now } = pool;
  const isWaited = isWaitedFor(model, sku);
  const at = Math.min(now, now - agoMs - Math.max(0, aheadMs ?? 0));
  const reached = stage === null ? null : STAGES.indexOf(stage) + 1;
  const by = (one: number): number => stages.by(sku, node, one, at);
  const beside = reached === null ? 0 : by(reached) + by(UNSOLD.damaged) + by(UNSOLD.inspected);
  model.count(sku, node, units, { at, stage: reached }, beside);
  const sentAt = aheadMs === null ? null : now + aheadMs;
  const capturedAt = placeInTime(now - agoMs, { arrivedAt: now, sentAt });
  take(pool, counted, stage, capturedAt);
  pool.serve();
  pool.told({ kind: 'count', sku, node, units, state: null, stage, agoMs: now - at }, 'done');
  // What a feed has brought waits for a later slice.
  if (pool.options.isCaller && isWaited) tend(pool, sku);
}

const hasJudged = ({ inspections }: PlayedPool, of: number): boolean =>
  inspections.some(({ sku, approved, rejected }) => sku === of && approved + rejected > 0);

/** The book becomes what was counted, unless a newer count is known. */
function take(pool: PlayedPool, { sku, node, units }: Counted, stage: Stage | null, capturedAt: number): void {
  const known = pool.watermarks.get(rowKey(sku, node));
  if (known && capturedAt < known.capturedAt) return;
  const differ = (row: SupplyRow): number =>
    resetDifference(row, units, stage === null ? 'physical' : 'availability', pool.since(sku, node, stage, capturedAt));
  const draft = new SupplyDraft(pool.supplies);
  draft.change(sku, stockAt(node), (row) => applyDifference(row, differ(row)));
  const count = { capturedAt, deductsAt: stage, source: 'erp' };
  pool.watermarks.set(rowKey(sku, node), known ? newerCount(known, count) : count);
  pool.late(pool.now - capturedAt, () => pool.apply(draft.effect()));
  if (stage === null) assert.equal(differ(rowAt(pool.supplies.get(sku) ?? noSupply(sku), node)), 0);
}

export interface CountedOne {
  readonly sku: number;
  readonly node: number;
  readonly state: Unsold;
  readonly units: number;
  /** Milliseconds before now at which it was captured. */
  readonly agoMs: number;
}

/** A source tells how many of the units are in a state; told again, it changes nothing, and it never changes how many there are. */
export function countOne(pool: PlayedPool, counted: CountedOne): void {
  const { sku, node, state, units, agoMs } = counted;
  // Who judges says no time, and the ledger is not to be changed afterwards.
  if (pool.options.isCaller && hasJudged(pool, sku)) return;
  pool.reap(new Set([sku]));
  const { model, stages, now } = pool;
  const isWaited = isWaitedFor(model, sku);
  const at = now - agoMs;
  model.countState(sku, node, state, units, at, stages.by(sku, node, UNSOLD[state], at));
  const named: CountedState = state === 'damaged' ? state : 'quality_control';
  if (takeState(pool, counted, named, at) && state === 'inspected') inspectCounted(pool, sku, node);
  pool.serve();
  pool.told({ kind: 'count', sku, node, units, state: named, stage: null, agoMs }, 'done');
  if (pool.options.isCaller && isWaited) tend(pool, sku);
}

/** The newest inspections are of what is there; units that none of them speaks of are in one more. */
function inspectCounted({ model, inspections }: PlayedPool, sku: number, node: number): void {
  let left = model.shelf(sku, node).inspected;
  for (const [place, one] of [...inspections.entries()].toReversed()) {
    if (one.sku !== sku || one.node !== node) continue;
    const kept = Math.min(one.open, left);
    inspections[place] = { ...one, open: kept, missing: one.missing + one.open - kept };
    left -= kept;
  }
  if (left > 0) inspections.push({ sku, node, open: left, ...UNJUDGED });
}

/** Answers whether it was the newest count of the state. */
function takeState(
  pool: PlayedPool,
  { sku, node, units, agoMs }: CountedOne,
  state: CountedState,
  at: number,
): boolean {
  const key = rowKey(sku, node, state);
  if (at < (pool.watermarks.get(key)?.capturedAt ?? -Infinity)) return false;
  pool.watermarks.set(key, { capturedAt: at, deductsAt: null, source: 'wms' });
  const row = (): SupplyRow => rowAt(pool.supplies.get(sku) ?? noSupply(sku), node);
  const counted = () => ({ state, quantity: units, since: pool.sinceIn(sku, node, state, at) });
  const draft = new SupplyDraft(pool.supplies);
  const before = net(row());
  draft.change(sku, stockAt(node), (there) => countState(there, counted()));
  pool.late(agoMs, () => pool.apply(draft.effect()));
  assert.deepEqual([net(row()), countState(row(), counted()).transfers], [before, []]);
  return true;
}

/** A node has come that far with units, its source counts without them, and then it tells that it had sent them before. */
export function countWork(pool: PlayedPool, pick: number, stage: Stage, units: number, sent: number): void {
  const backing = pool.lock(pick, pinnedConfirmed)?.backings.find((one) => pinnedConfirmed(one) > 0);
  if (!backing) return;
  const { sku, node, fulfilment } = backing;
  acknowledge(pool, pick, { backing: 0, quantity: units, names: ['line', 'node', 'fulfilment'] }, stage);
  count(pool, { sku, node, units, stage, agoMs: 0, aheadMs: null });
  const mine = pool.lock(pick, pinnedConfirmed);
  if (mine) pool.late(1, () => leaveParts(pool, 'fulfil', mine, [{ sku, node, fulfilment, quantity: sent }]));
}

/** Units break, their row is counted, and then it is told that they had been thrown away before. */
export function countScrap(pool: PlayedPool, sku: number, node: number, broken: number, units: number): void {
  move(pool, { type: 'damage', sku, node, toNode: null, quantity: broken });
  count(pool, { sku, node, units, stage: null, agoMs: 0, aheadMs: null });
  pool.late(1, () => move(pool, { type: 'scrap', sku, node, toNode: null, quantity: broken }));
}
