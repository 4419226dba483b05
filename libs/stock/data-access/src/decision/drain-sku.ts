/** Promises of a SKU that may not stay where they are: those that can move do, and what is stranded is an exception and told. */
import assert from 'node:assert/strict';
import { type NodeKey, type SkuKey, type VerbEffect, drainOf, rowAt } from '@onepool/stock-domain';
import type { DrainLook } from '../repository/drain-reads.ts';
import type { BatchState } from '../repository/load-batch.ts';
import type { ChangingBook } from './changing-book.ts';
import type { PromiseExceptions, Trouble } from './promise-exceptions.ts';

/** Alone in its batch, so that nothing has moved since its units were counted but what is moved here. */
export function drainSku(sku: SkuKey, state: BatchState, book: ChangingBook, exceptions: PromiseExceptions): void {
  const { supplies, rules, now, drains } = state;
  const look = drains.get(sku);
  assert(look, 'what may not stay was counted');
  const told = exceptions.openOf(sku, ['promise.stranded']).flatMap((one) => one.told);
  const keys = new Set([...look.movable, ...look.standing, ...told.map(({ reservation }) => reservation)]);
  const candidates = [...keys].map((key) => book.stored(key).reservation);
  const { effects, stranded } = drainOf(sku, candidates, supplies, rules, now);
  for (const effect of effects) book.byItself(effect, { reason: 'drain', occurredAt: now }, 'moved');
  const { writes } = book;
  if (look.moreBelow !== null) {
    // Those who were not loaded may move, too.
    writes.drainTasks.set(sku, effects.length > 0 ? null : look.moreBelow);
    return;
  }
  writes.drained.push(sku);
  const supply = book.supply(sku);
  const troubles = [...leftOf(look, effects)].map(([node, quantity]): Trouble => {
    const promises = stranded.filter((one) => one.node === node);
    return { code: 'promise.stranded', node, detail: null, supplyKey: rowAt(supply, node).key, quantity, promises };
  });
  exceptions.settle(sku, ['promise.stranded'], troubles);
}

/** Units by node that may not stay there, and have not left. */
function leftOf({ units }: DrainLook, effects: readonly VerbEffect[]): ReadonlyMap<NodeKey, number> {
  const left = new Map(units);
  for (const { node, quantity } of effects.flatMap(({ changes }) => changes))
    if (node !== null) left.set(node, (left.get(node) ?? 0) - quantity);
  return new Map([...left].filter(([, quantity]) => quantity > 0));
}
