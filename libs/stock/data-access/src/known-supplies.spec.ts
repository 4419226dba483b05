import { describe, expect, it } from '@jest/globals';
import { emptyRow } from '@onepool/stock-domain';
import type { NodeKey, SkuKey, SkuSupply } from '@onepool/stock-domain';
import { KnownSupplies } from './known-supplies.ts';
import { completeSupplies } from './load.ts';

const supplyOf = (sku: SkuKey, available: number): SkuSupply => ({
  sku,
  rows: [{ ...emptyRow(1 as NodeKey), available }],
});
const SKU = 1 as SkuKey;

describe('known supplies', () => {
  it('complete a batch with the rows of the version that was looked at, whatever is remembered meanwhile', () => {
    const known = new KnownSupplies();
    known.remember(supplyOf(SKU, 7), 3);
    const looked = known.look([SKU]);
    known.remember(supplyOf(SKU, 9), 2);
    const supplies = completeSupplies([SKU], new Map([[SKU, 3]]), looked, new Map(), known);
    expect(supplies.get(SKU)).toEqual(supplyOf(SKU, 7));
  });

  it('complete a batch with the rows that were looked at even when they are forgotten meanwhile', () => {
    const known = new KnownSupplies();
    known.remember(supplyOf(SKU, 7), 3);
    const looked = known.look([SKU]);
    for (let other = 2; other <= 20_001; other += 1) known.remember(supplyOf(other as SkuKey, 1), 1);
    expect(known.look([SKU])).toEqual([{ version: -1, supply: undefined }]);
    const supplies = completeSupplies([SKU], new Map([[SKU, 3]]), looked, new Map(), known);
    expect(supplies.get(SKU)).toEqual(supplyOf(SKU, 7));
  });

  it('are bounded by their rows as well, since a SKU may be in as many as there are nodes', () => {
    const known = new KnownSupplies();
    const rows = Array.from({ length: 1_000 }, (_, node) => emptyRow(node as NodeKey));
    for (let sku = 1; sku <= 401; sku += 1) known.remember({ sku: sku as SkuKey, rows }, 1);
    known.remember({ sku: 401 as SkuKey, rows }, 2);
    const versions = known.look([1, 2, 401].map((sku) => sku as SkuKey)).map(({ version }) => version);
    expect(versions).toEqual([-1, 1, 2]);
  });

  it('take the rows that were read when the version has moved on, and know them from then on', () => {
    const known = new KnownSupplies();
    known.remember(supplyOf(SKU, 7), 3);
    const looked = known.look([SKU]);
    const changed = new Map([[SKU, supplyOf(SKU, 5).rows]]);
    expect(completeSupplies([SKU], new Map([[SKU, 4]]), looked, changed, known).get(SKU)).toEqual(supplyOf(SKU, 5));
    expect(known.look([SKU])).toEqual([{ version: 4, supply: supplyOf(SKU, 5) }]);
  });
});
