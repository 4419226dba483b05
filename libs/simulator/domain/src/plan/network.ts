import type { ChannelOfRun, Limits, MovementsRequest, NodeOfRun } from '../messages.ts';
import type { Invoice } from '../trace/invoice.ts';
import { randomOf } from './random.ts';
import { spreadUnits } from './spread-units.ts';

export const keyPrefixOf = (run: string): string => `r${run}-`;

/** `r<run>-n01` …: every fifth node is a warehouse, the others are stores. */
export const networkOf = (run: string, nodes: number): NodeOfRun[] =>
  Array.from({ length: nodes }, (_, index) => ({
    node: `${keyPrefixOf(run)}n${String(index + 1).padStart(2, '0')}`,
    type: index % 5 === 4 ? ('warehouse' as const) : ('store' as const),
  }));

/** Both channels may sell what any node of this run has, and nothing of another run's. */
export const channelsOf = (run: string, nodes: readonly NodeOfRun[]): ChannelOfRun[] =>
  (['web', 'pos'] as const).map((type) => ({
    channel: `${keyPrefixOf(run)}${type}`,
    type,
    nodes: nodes.map(({ node }) => node),
  }));

/** Units that the orders ask for, by SKU, in the order in which the trace first names them. */
export const grossDemand = (invoices: readonly Invoice[]): ReadonlyMap<string, number> => {
  const demand = new Map<string, number>();
  for (const { kind, lines } of invoices) {
    for (const { stockCode, quantity } of lines) {
      demand.set(stockCode, (demand.get(stockCode) ?? 0) + (kind === 'order' ? quantity : 0));
    }
  }
  return demand;
};

/** 80 % of demand, rounded down: less than is wanted, so that someone must be refused. */
export const startingUnits = (demand: number): number => Math.floor((demand * 4) / 5);

/** Receipts that put the starting stock on the nodes, cut into batches that the system takes at once. */
export const startingStock = (
  run: string,
  seed: number,
  demand: ReadonlyMap<string, number>,
  nodes: readonly NodeOfRun[],
  { linesMax, quantityUnitsMax }: Limits,
): MovementsRequest[] => {
  const prefix = keyPrefixOf(run);
  const receipts: MovementsRequest['movements'] = [];
  for (const [stockCode, wanted] of demand) {
    const shares = spreadUnits(startingUnits(wanted), nodes.length, randomOf(seed, `stock:${stockCode}`));
    shares.forEach((share, index) => {
      const node = nodes[index]?.node ?? '';
      for (let left = share; left > 0; left -= quantityUnitsMax) {
        const quantity = Math.min(left, quantityUnitsMax);
        receipts.push({ type: 'receipt', sku: `${prefix}${stockCode}`, node, quantity, reason: 'starting stock' });
      }
    });
  }
  return Array.from({ length: Math.ceil(receipts.length / linesMax) }, (_, batch) => ({
    id: `${prefix}stock-${batch + 1}`,
    source: 'wms',
    movements: receipts.slice(batch * linesMax, (batch + 1) * linesMax),
  }));
};
