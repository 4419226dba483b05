/** What is not there yet and may be promised all the same: units of lines that are on their way, and allowances. */
import type { Ahead } from './piles.ts';
import type { Coming, Pool } from './pool.ts';
import { maySell } from './showing.ts';

export const isLate = ({ now }: Pool, { dueAt, isClosed }: Coming): boolean =>
  isClosed || (dueAt !== null && dueAt < now);

export const inTransit = ({ sound, damaged, inspected }: Coming): number => sound + damaged + inspected;

export function lineBy({ lines }: Pool, detail: number): Coming {
  const found = lines.get(detail);
  if (!found) throw new Error(`the model does not know line ${detail}`);
  return found;
}

/** Units that a line brings for those to whom it is promised, and does not have. */
export const owedBy = (pool: Pool, { sku, node, detail }: Coming): number => pool.rowOf(sku, node, detail).shortfall;

interface AheadUnits {
  readonly node: number;
  readonly ahead: Ahead;
  readonly units: number;
}

/** What a buyer who waits may be promised, in its order: what comes soonest, then allowances, those of one node first. */
export function aheadOf(pool: Pool, sku: number, channel: number, nodes: readonly number[] | null): AheadUnits[] {
  const serves = (node: number): boolean => (nodes?.includes(node) ?? true) && maySell(pool, sku, channel, node);
  const due = ({ dueAt }: Coming): number => dueAt ?? Infinity;
  const lines = [...pool.lines.values()]
    .filter((one) => one.sku === sku && serves(one.node) && !isLate(pool, one))
    .sort((a, b) => (due(a) === due(b) ? a.detail - b.detail : due(a) - due(b)))
    .map(({ node, detail }) => ({ node, ahead: detail, units: pool.rowOf(sku, node, detail).available }));
  const allowances = pool.market
    .allowances(sku)
    .filter(({ node }) => (node === 0 ? pool.market.nodes.some(serves) : serves(node)))
    .map(({ node, cap }): AheadUnits => {
      const { held, confirmed } = pool.promisedAt(sku, node, 'allowance');
      return { node, ahead: 'allowance', units: Math.max(0, cap - held - confirmed) };
    });
  return [...lines, ...allowances].filter(({ units }) => units > 0);
}
