/** Steps of a history in which the engine looks after promises by itself. */
import assert from 'node:assert/strict';
import { drainOf } from '../../drain.ts';
import { healShortfall } from '../../heal.ts';
import { decideOverdue, hasOverdueLines } from '../../overdue.ts';
import type { Relocated } from '../../relocate.ts';
import { noSupply } from '../../supply.ts';
import * as moving from './moving.ts';
import type { PlayedPool } from './played-pool.ts';
import { isOwed, serveLate } from './serving.ts';

/** Promises leave short rows. A whole engine does all that it does for a SKU at once. */
export function heal(pool: PlayedPool, sku: number): void {
  if (pool.options.isCaller) return tend(pool, sku);
  pool.reap(new Set([sku]));
  healShort(pool, sku);
}

/** Time alone has made lines late. */
export function overdue(pool: PlayedPool, sku: number): void {
  if (pool.options.isCaller) return tend(pool, sku);
  pool.reap(new Set([sku]));
  serveOverdue(pool, sku);
}

/** All of it. `offersAll`: others may have what is free than before. */
export function tend(pool: PlayedPool, sku: number, offersAll = false): void {
  if (!pool.options.moves) return;
  pool.reap(new Set([sku]));
  if (offersAll) pool.serveAll(sku);
  healShort(pool, sku);
  const isOverdue = isOwed(pool.model, sku);
  assert.equal(hasOverdueLines(pool.supplies.get(sku) ?? noSupply(sku), pool.now), isOverdue);
  if (isOverdue) serveOverdue(pool, sku);
  pool.told({ kind: 'tend', sku, offersAll }, 'done');
}

/** Promises leave where they may not stay. */
export function drain(pool: PlayedPool, sku: number): void {
  pool.reap(new Set([sku]));
  if (!pool.options.moves) return;
  const { rules, now, supplies } = pool;
  follow(pool, sku, drainOf(sku, newestFirst(pool), supplies, rules, now), 'drained');
  pool.told({ kind: 'drain', sku }, 'done');
}

/** As the engine has them. */
const newestFirst = ({ reservations }: PlayedPool) => [...reservations.values()].toReversed();

function healShort(pool: PlayedPool, sku: number): void {
  const { rules, now, supplies } = pool;
  follow(pool, sku, healShortfall(sku, newestFirst(pool), supplies, rules, now), 'short');
}

function serveOverdue(pool: PlayedPool, sku: number): void {
  serveLate(pool.model, sku);
  const { freeing } = decideOverdue(sku, pool.waiting().candidates, pool.supplies, pool.terms(false));
  for (const one of freeing.effects) pool.accept(one);
  pool.apply(freeing.effect);
  pool.serve();
}

/** What the engine moves by itself is for it to choose; each move must be right, and none may be missing. */
function follow(pool: PlayedPool, sku: number, { effects, supplies }: Relocated, cause: moving.Cause): void {
  for (const effect of effects) {
    const moves = effect.changes.map(({ line, node, to, quantity }) => ({
      line,
      from: node ?? 0,
      to: to?.node ?? 0,
      units: quantity,
    }));
    moving.healed(pool.model, pool.promised(effect.reservation), moves, cause);
    pool.accept(effect);
  }
  assert.deepEqual(supplies.get(sku), pool.supplies.get(sku));
  // What is taken may shrink a share, or open the next fence of one's own; a round of moves does not look again.
  const { kept } = pool.model.limits;
  const isStable = kept.length < 2 && !kept.some(({ isShare }) => isShare);
  if (isStable) assert.equal(moving.unhealed(pool.model, sku, cause), 0);
  pool.serve();
}
