import { Faker, base, en } from '@faker-js/faker';
import type { Channel, Movement, Node, Sku, Threshold } from '@onepool/contracts';
import { demoChannels, demoNodes, demoThresholds } from './demo-nodes.ts';
import { demoSkus } from './demo-skus.ts';
import { demoReceipts } from './demo-stock.ts';

export interface DemoNetwork {
  readonly nodes: readonly Node[];
  readonly skus: readonly Sku[];
  readonly channels: readonly Channel[];
  readonly thresholds: readonly Threshold[];
  /** Opening stock, in order of SKU. */
  readonly receipts: readonly Movement[];
}

const SEED = 20_101_201;
const SKU_COUNT = 2_000;

/** The network that a fresh Onepool shows. It is a pure function: the same network on each machine, at each call. */
export function demoNetwork(): DemoNetwork {
  const faker = new Faker({ locale: [en, base], seed: SEED });
  const nodes = demoNodes();
  const skus = demoSkus(faker, SKU_COUNT);
  const receipts = demoReceipts(faker, skus, nodes);
  return { nodes, skus, channels: demoChannels(), thresholds: demoThresholds(nodes), receipts };
}
