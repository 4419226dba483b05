/** What is to come is announced, or something else is said of it than before. */
import { arrive, expectUnits } from './arithmetic.ts';
import { type InboundLine, onTheWay, soundInTransit } from './inbound.ts';
import type { SkuKey } from './keys.ts';
import { type Supplies, SupplyDraft, type SupplyEffect, rowOf } from './supply.ts';

/**
 * `expected`: sound units that are still to come. What they are fewer than what was promised of them is short from now on. A line
 * that is told closed expects none, and what was to come is lost.
 */
export function decideExpect(sku: SkuKey, line: InboundLine, expected: number, supplies: Supplies): SupplyEffect {
  const draft = new SupplyDraft(supplies);
  const at = onTheWay(line);
  const before = draft.supply(sku).inbound.find(({ detail }) => detail === line.detail);
  if (before && before.node !== line.node) throw new Error('Broken invariant: a line goes to another node than before');
  const more = (line.isClosed ? 0 : expected) - soundInTransit(rowOf(draft.supply(sku), at));
  draft.setLine(sku, line);
  if (more > 0) draft.change(sku, at, (row) => expectUnits(row, more));
  if (more < 0) draft.change(sku, at, (row) => arrive(row, -more));
  return draft.effect();
}
