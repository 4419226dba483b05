/** Rows that a decision has put into the book have no keys yet: they get them before anything is written that names them. */
import assert from 'node:assert/strict';
import type { SkuSupply, SupplyKey, SupplyRow } from '@onepool/stock-domain';

const isNew = ({ key }: SupplyRow): boolean => key === 0;

export function withKeys(supply: SkuSupply, keys: Iterator<SupplyKey>): SkuSupply {
  if (!supply.rows.some(isNew) && !supply.future.some(isNew)) return supply;
  const keyed = (row: SupplyRow): SupplyRow => (isNew(row) ? { ...row, key: nextOf(keys) } : row);
  return { ...supply, rows: supply.rows.map(keyed), future: supply.future.map(keyed) };
}

/** The next of keys that were taken for all that may need one. */
export function nextOf(keys: Iterator<number>): number {
  const { value, done = false } = keys.next();
  assert(!done && value !== undefined, 'there is a key for everything new');
  return value;
}
