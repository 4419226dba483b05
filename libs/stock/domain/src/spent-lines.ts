/** Lines that are done with leave the book, so that nobody has to load them again: their rows are deleted, and no key is used twice. */
import { type InboundLine, NO_INBOUND, isSpent, onTheWay } from './inbound.ts';
import { NO_FUTURE, type SkuSupply, rowOf } from './supply.ts';
import { type SupplyRow, isSamePlace } from './supply-row.ts';

export interface WithoutSpent {
  readonly supply: SkuSupply;
  readonly lines: readonly InboundLine[];
  readonly rows: readonly SupplyRow[];
}

/** Null if there are none, which is nearly always. */
export function withoutSpent(supply: SkuSupply): WithoutSpent | null {
  if (supply.inbound.length === 0) return null;
  const lines = supply.inbound.filter((line) => isSpent(line, rowOf(supply, onTheWay(line))));
  if (lines.length === 0) return null;
  const isOfSpent = (row: SupplyRow): boolean => lines.some((line) => isSamePlace(row, onTheWay(line)));
  const future = supply.future.filter((row) => !isOfSpent(row));
  const inbound = supply.inbound.filter((line) => !lines.includes(line));
  return {
    lines,
    rows: supply.future.filter(isOfSpent),
    supply: {
      ...supply,
      future: future.length === 0 ? NO_FUTURE : future,
      inbound: inbound.length === 0 ? NO_INBOUND : inbound,
    },
  };
}
