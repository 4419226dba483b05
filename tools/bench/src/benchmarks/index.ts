import type { Group } from '../reporting/keys.ts';
import type { Benchmark } from './benchmark.ts';
import { feed } from './feed.ts';
import { http } from './http.ts';
import { orders } from './orders.ts';
import { propagate } from './propagate.ts';
import { relay } from './relay.ts';
import { reserve } from './reserve.ts';
import { scale } from './scale.ts';

export const BENCHMARKS: Readonly<Record<Group, Benchmark>> = {
  reserve,
  http,
  relay,
  propagate,
  scale,
  feed,
  orders,
};
