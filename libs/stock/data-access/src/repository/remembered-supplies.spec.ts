import { describe, expect, it } from '@jest/globals';
import { NO_FUTURE, NO_INBOUND, emptyRow, stockAt } from '@onepool/stock-domain';
import type { NodeKey, SkuKey, SkuSupply } from '@onepool/stock-domain';
import { RememberedSupplies, completeSupplies } from './remembered-supplies.ts';

const supplyOf = (sku: SkuKey, available: number): SkuSupply => ({
  sku,
  rows: [{ ...emptyRow(stockAt(1 as NodeKey)), available }],
  future: NO_FUTURE,
  inbound: NO_INBOUND,
});
const SKU = 1 as SkuKey;

describe('remembered supplies', () => {
  it('complete a batch with the rows of the version that was looked at, whatever is remembered meanwhile', () => {
    const memory = new RememberedSupplies();
    memory.remember(supplyOf(SKU, 7), 3);
    const looked = memory.look([SKU]);
    memory.remember(supplyOf(SKU, 9), 2);
    const supplies = completeSupplies([SKU], new Map([[SKU, 3]]), looked, new Map(), memory);
    expect(supplies.get(SKU)).toEqual(supplyOf(SKU, 7));
  });

  it('complete a batch with the rows that were looked at even when they are forgotten meanwhile', () => {
    const memory = new RememberedSupplies();
    memory.remember(supplyOf(SKU, 7), 3);
    const looked = memory.look([SKU]);
    for (let other = 2; other <= 20_001; other += 1) memory.remember(supplyOf(other as SkuKey, 1), 1);
    expect(memory.look([SKU])).toEqual([{ version: -1, supply: undefined }]);
    const supplies = completeSupplies([SKU], new Map([[SKU, 3]]), looked, new Map(), memory);
    expect(supplies.get(SKU)).toEqual(supplyOf(SKU, 7));
  });

  it.each([
    ['there', 'rows', 'future'],
    ['to come', 'future', 'rows'],
  ] as const)('are bounded by their rows of what is %s as well, since a SKU may have many', (_, many, none) => {
    const memory = new RememberedSupplies();
    const rows = Array.from({ length: 1_000 }, (__, node) => emptyRow(stockAt(node as NodeKey)));
    const supply = (sku: number): SkuSupply => ({ ...supplyOf(sku as SkuKey, 0), [many]: rows, [none]: [] });
    for (let sku = 1; sku <= 401; sku += 1) memory.remember(supply(sku), 1);
    memory.remember(supply(401), 2);
    const versions = memory.look([1, 2, 401].map((sku) => sku as SkuKey)).map(({ version }) => version);
    expect(versions).toEqual([-1, 1, 2]);
  });

  it('take the rows that were read when the version has moved on, and remember them from then on', () => {
    const memory = new RememberedSupplies();
    memory.remember(supplyOf(SKU, 7), 3);
    const looked = memory.look([SKU]);
    const changed = new Map([[SKU, supplyOf(SKU, 5)]]);
    expect(completeSupplies([SKU], new Map([[SKU, 4]]), looked, changed, memory).get(SKU)).toEqual(supplyOf(SKU, 5));
    expect(memory.look([SKU])).toEqual([{ version: 4, supply: supplyOf(SKU, 5) }]);
  });
});
