import type { MovementsRequest, PutChannels, PutNodes } from '@onepool/contracts';
import { LINES_MAX, QUANTITY_UNITS_MAX } from '@onepool/contracts';
import type { Invoice } from '../trace/read-trace.ts';
import { randomOf } from './random.ts';
import { spreadUnits } from './spread-units.ts';

export const keyPrefixOf = (run: string): string => `r${run}-`;

/** `r<run>-n01` …: every fifth node is a warehouse, the others are stores. */
export const networkOf = (run: string, nodes: number): PutNodes['nodes'] =>
  Array.from({ length: nodes }, (_, index) => ({
    node: `${keyPrefixOf(run)}n${String(index + 1).padStart(2, '0')}`,
    type: index % 5 === 4 ? ('warehouse' as const) : ('store' as const),
  }));

/** Both channels may sell what any node of this run has, and nothing of another run's. */
export const channelsOf = (run: string, nodes: PutNodes['nodes']): PutChannels['channels'] =>
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

/** Receipts that put the starting stock on the nodes, cut into batches of at most 2,000 movements. */
export const startingStock = (
  run: string,
  seed: number,
  demand: ReadonlyMap<string, number>,
  nodes: PutNodes['nodes'],
): MovementsRequest[] => {
  const prefix = keyPrefixOf(run);
  const receipts: MovementsRequest['movements'] = [];
  for (const [stockCode, wanted] of demand) {
    const shares = spreadUnits(startingUnits(wanted), nodes.length, randomOf(seed, `stock:${stockCode}`));
    shares.forEach((share, index) => {
      const node = nodes[index]?.node ?? '';
      for (let left = share; left > 0; left -= QUANTITY_UNITS_MAX) {
        const quantity = Math.min(left, QUANTITY_UNITS_MAX);
        receipts.push({ type: 'receipt', sku: `${prefix}${stockCode}`, node, quantity, reason: 'starting stock' });
      }
    });
  }
  return Array.from({ length: Math.ceil(receipts.length / LINES_MAX) }, (_, batch) => ({
    id: `${prefix}stock-${batch + 1}`,
    source: 'wms',
    movements: receipts.slice(batch * LINES_MAX, (batch + 1) * LINES_MAX),
  }));
};
