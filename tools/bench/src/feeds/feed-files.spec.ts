import { describe, expect, it } from '@jest/globals';
import { Counts } from './feed-files.ts';

const SHAPE = { skus: 700, nodes: 9 };
const textOf = (csv: readonly Buffer[]): string => Buffer.concat(csv).toString();
const quantities = (csv: readonly Buffer[]): ReadonlyMap<string, number> =>
  new Map(
    textOf(csv)
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(','))
      .map(([sku, node, quantity]) => [`${sku} ${node}`, Number(quantity)]),
  );

describe('the files of feeds', () => {
  it('count every row once, more than a piece of them too', () => {
    const counted = quantities(new Counts(SHAPE, 5).csv());
    expect(counted.size).toBe(SHAPE.skus * SHAPE.nodes);
    expect(new Set(counted.values())).toEqual(new Set([5]));
  });

  it.each([
    { each: 1, offset: 0 },
    { each: 20, offset: 0 },
    { each: 20, offset: 43 },
  ])('tell as a delta what has changed between two counts: every $each. row from $offset on', ({ each, offset }) => {
    const counts = new Counts(SHAPE, 5);
    const before = quantities(counts.csv());
    const changed = counts.change(each, offset);
    const differing = [...quantities(counts.csv())].flatMap(([row, units]) =>
      units === before.get(row) ? [] : [[row, units - (before.get(row) ?? 0)] as const],
    );
    const delta = quantities(counts.changesCsv(each, offset));
    expect(delta.size).toBe(changed);
    expect(delta).toEqual(new Map(differing));
  });
});
