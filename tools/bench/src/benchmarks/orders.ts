/** `orders`: the verbs by which orders move and lose their units. */
import type { Key } from '../reporting/keys.ts';
import type { Benchmark } from './benchmark.ts';
import { receipts } from './receipts.ts';
import { rejections } from './rejections.ts';
import { swaps } from './swaps.ts';

const PARTS: Readonly<Record<string, Benchmark>> = {
  'allocate.': swaps,
  'reject.': rejections,
  'receipt.': receipts,
};

const partsFor = (keys: readonly Key[]): readonly (readonly [Benchmark, readonly Key[]])[] =>
  Object.entries(PARTS)
    .map(([verb, part]) => [part, keys.filter(({ key }) => key.startsWith(verb))] as const)
    .filter(([, some]) => some.length > 0);

export const orders: Benchmark = {
  estimate: (keys, bench) => partsFor(keys).reduce((sum, [part, some]) => sum + part.estimate(some, bench), 0),
  async run(keys, bench) {
    for (const [part, some] of partsFor(keys)) await part.run(some, bench);
  },
};
