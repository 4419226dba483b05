/** The book at quiescence: what the client's history says it must be, against what the system says it is. */
import type { StockOfSku } from '../messages.ts';
import type { FloatingClaim } from './effect.ts';
import type { Finding } from './finding.ts';
import { groupBy } from './group-by.ts';
import type { RowBounds } from './row-bounds.ts';

/** Both ends included; they differ only where calls stayed unanswered or a sale may have reached damaged units. */
interface Range {
  readonly least: number;
  readonly most: number;
}

export interface BalanceAudit {
  /** Promised units without stock, as the system says. */
  readonly broken: number;
  /** The same by the model; where it knows only a range, the value of that range nearest to what the system says. */
  readonly brokenExpected: number;
  readonly lost: number;
  readonly findings: readonly Finding[];
}

const sumRange = (ranges: readonly Range[]): Range =>
  ranges.reduce((sum, { least, most }) => ({ least: sum.least + least, most: sum.most + most }), { least: 0, most: 0 });
const clamp = (value: number, { least, most }: Range): number => Math.min(most, Math.max(least, value));
const show = ({ least, most }: Range): string => (least === most ? `${least}` : `${least} to ${most}`);

const totalOf = (row: RowBounds, member: 'net' | 'promised' | 'damaged'): Range =>
  sumRange(
    row.effects.map((effect) => {
      const value = effect[member];
      return effect.certain ? { least: value, most: value } : { least: Math.min(0, value), most: Math.max(0, value) };
    }),
  );

/** Units that can stand behind promises at the row. */
const sellableOf = (row: RowBounds): Range => {
  const net = totalOf(row, 'net');
  const damaged = totalOf(row, 'damaged');
  const damagedLeast = row.damageUncertain ? 0 : damaged.least;
  return { least: Math.max(0, net.least - damaged.most), most: Math.max(0, net.most - damagedLeast) };
};

export const auditBalances = (
  stocks: readonly StockOfSku[],
  bounds: ReadonlyMap<string, readonly RowBounds[]>,
  floating: readonly FloatingClaim[],
): BalanceAudit => {
  const findings: Finding[] = [];
  const floatingBySku = groupBy(floating, ({ sku }) => sku);
  let broken = 0;
  let brokenExpected = 0;
  let lost = 0;
  for (const stock of stocks) {
    const { sku } = stock;
    const rows = bounds.get(sku) ?? [];
    const promised = promisedOf(rows, floatingBySku.get(sku) ?? []);
    lost += compareNet(stock, rows, findings) + comparePromised(stock, promised, findings);

    const shortfall = stock.rows.reduce((sum, row) => sum + row.shortfall, 0);
    const sellable = sumRange(rows.map(sellableOf));
    const expected = {
      least: Math.max(0, promised.least - sellable.most),
      most: Math.max(0, promised.most - sellable.least),
    };
    broken += shortfall;
    brokenExpected += clamp(shortfall, expected);
    if (clamp(shortfall, expected) !== shortfall) {
      const detail = `${shortfall} promised units are short, the history says ${show(expected)}`;
      findings.push({ check: 'broken', count: Math.abs(shortfall - clamp(shortfall, expected)), subject: sku, detail });
    }
  }
  return { broken, brokenExpected, lost, findings };
};

const promisedOf = (rows: readonly RowBounds[], floating: readonly FloatingClaim[]): Range =>
  sumRange([
    ...rows.map((row) => totalOf(row, 'promised')),
    ...floating.map(({ quantity }) => ({ least: 0, most: quantity })),
  ]);

const compareNet = (stock: StockOfSku, rows: readonly RowBounds[], findings: Finding[]): number => {
  const told = new Map(stock.rows.map((row) => [row.node, row.onHand - row.overdrawn]));
  const expected = new Map(rows.map((row) => [row.node, totalOf(row, 'net')]));
  let lost = 0;
  for (const node of new Set([...told.keys(), ...expected.keys()])) {
    const range = expected.get(node) ?? { least: 0, most: 0 };
    const value = told.get(node) ?? 0;
    const difference = Math.abs(value - clamp(value, range));
    if (difference === 0) continue;
    lost += difference;
    const detail = `${value} units on hand less overdrawn, the history says ${show(range)}`;
    findings.push({ check: 'lost', count: difference, subject: `${stock.sku} at ${node}`, detail });
  }
  return lost;
};

const comparePromised = (stock: StockOfSku, promised: Range, findings: Finding[]): number => {
  const value = stock.rows.reduce((sum, { reserved, committed }) => sum + reserved + committed, 0);
  const difference = Math.abs(value - clamp(value, promised));
  if (difference > 0) {
    const detail = `${value} units promised, the history says ${show(promised)}`;
    findings.push({ check: 'lost', count: difference, subject: stock.sku, detail });
  }
  return difference;
};
