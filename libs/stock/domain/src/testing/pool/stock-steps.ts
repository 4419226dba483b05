/** Steps of a history in which time passes and things happen at nodes. */
import assert from 'node:assert/strict';
import { type StockMovement, decideMovements } from '../../decide-movements.ts';
import { open } from '../../reservation.ts';
import { heal } from './move-steps.ts';
import type { PlayedPool } from './played-pool.ts';
import type { Verdict } from './pool.ts';

export function wait(pool: PlayedPool, ms: number): void {
  pool.model.now += ms;
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
  const decision = decideMovements([movement], pool.supplies);
  assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
  if (decision.ok) pool.apply(decision.value);
}

function happen(pool: PlayedPool, { type, sku, node, toNode, quantity }: StockMovement): Verdict {
  if (type === 'damage') return pool.model.damage(sku, node, quantity);
  if (type === 'safety_stock') return pool.model.setAside(sku, node, quantity);
  if (type === 'transfer' && toNode === node) return 'done';
  if (type === 'transfer' && toNode !== null) pool.model.travel(sku, node, toNode, quantity);
  else pool.model.happen(sku, node, type === 'sale' ? -quantity : quantity);
  return 'done';
}
