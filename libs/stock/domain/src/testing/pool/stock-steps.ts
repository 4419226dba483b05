/** Steps of a history in which time passes and things happen at nodes. */
import assert from 'node:assert/strict';
import { countState } from '../../counted-states.ts';
import { type StockMovement, decideMovements } from '../../decide-movements.ts';
import { placeInTime } from '../../event-time.ts';
import { applyDifference, resetDifference, rowKey } from '../../feed.ts';
import { STAGES, type Stage, open } from '../../reservation.ts';
import type { CountedState } from '../../stock-states.ts';
import { SupplyDraft, noSupply, rowAt } from '../../supply.ts';
import { type SupplyRow, net, stockAt } from '../../supply-row.ts';
import { heal } from './move-steps.ts';
import { pinnedConfirmed } from './picks.ts';
import type { PlayedPool } from './played-pool.ts';
import type { Unsold, Verdict } from './pool.ts';
import { acknowledge, leaveParts } from './promise-steps.ts';
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
  pool.reap(new Set([movement.sku]));
  const verdict = happen(pool, movement);
  pool.told({ kind: 'movement', ...movement }, verdict);
  const decision = decideMovements([movement], pool.supplies, {
    occurredAt: pool.model.at,
    watermarks: pool.watermarks,
  });
  assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
  if (decision.ok) pool.apply(decision.value);
  pool.serve();
}

function happen(pool: PlayedPool, { type, sku, node, toNode, quantity }: StockMovement): Verdict {
  if (type === 'damage') return pool.model.damage(sku, node, quantity);
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
  // Callers know no time but the one at which they ask, so that stages are not placed in time.
  const stage = pool.options.isCaller ? null : counted.stage;
  pool.reap(new Set([sku]));
  const { model, stages, now } = pool;
  const at = Math.min(now, now - agoMs - Math.max(0, aheadMs ?? 0));
  const reached = stage === null ? null : STAGES.indexOf(stage) + 1;
  const by = (one: number): number => stages.by(sku, node, one, at);
  const beside = reached === null ? 0 : by(reached) + by(UNSOLD.damaged) + by(UNSOLD.inspected);
  model.count(sku, node, units, { at, stage: reached }, beside);
  pool.told({ kind: 'count', sku, node, units, state: null, agoMs: now - at }, 'done');
  const sentAt = aheadMs === null ? null : now + aheadMs;
  const capturedAt = placeInTime(now - agoMs, { arrivedAt: now, sentAt });
  const known = pool.watermarks.get(rowKey(sku, node));
  if (known && capturedAt < known.capturedAt) return;
  const differ = (row: SupplyRow): number =>
    resetDifference(row, units, stage === null ? 'physical' : 'availability', pool.since(sku, node, stage, capturedAt));
  const draft = new SupplyDraft(pool.supplies);
  draft.change(sku, stockAt(node), (row) => applyDifference(row, differ(row)));
  pool.watermarks.set(rowKey(sku, node), { capturedAt, deductsAt: stage, source: 'erp' });
  pool.late(now - capturedAt, () => pool.apply(draft.effect()));
  if (stage === null) assert.equal(differ(rowAt(pool.supplies.get(sku) ?? noSupply(sku), node)), 0);
  pool.serve();
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
export function countOne(pool: PlayedPool, { sku, node, state, units, agoMs }: CountedOne): void {
  pool.reap(new Set([sku]));
  const { model, stages, now } = pool;
  const at = now - agoMs;
  model.countState(sku, node, state, units, at, stages.by(sku, node, UNSOLD[state], at));
  const named: CountedState = state === 'damaged' ? state : 'quality_control';
  pool.told({ kind: 'count', sku, node, units, state: named, agoMs }, 'done');
  const key = rowKey(sku, node, named);
  if (at < (pool.watermarks.get(key)?.capturedAt ?? -Infinity)) return;
  pool.watermarks.set(key, { capturedAt: at, deductsAt: null, source: 'wms' });
  const row = (): SupplyRow => rowAt(pool.supplies.get(sku) ?? noSupply(sku), node);
  const counted = () => ({ state: named, quantity: units, since: pool.sinceIn(sku, node, named, at) });
  const draft = new SupplyDraft(pool.supplies);
  const before = net(row());
  draft.change(sku, stockAt(node), (there) => countState(there, counted()));
  pool.late(agoMs, () => pool.apply(draft.effect()));
  assert.deepEqual([net(row()), countState(row(), counted()).transfers], [before, []]);
  pool.serve();
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
