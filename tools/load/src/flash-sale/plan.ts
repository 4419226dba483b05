/** What a flash sale will send, decided before anything is sent: a pure function of its options. */
import type { MovementsRequest, PutChannels, PutNodes } from '@onepool/contracts';
import { randomOf, spreadUnits } from '@onepool/simulator-domain';
import { type Stage, arrivalStages } from './arrivals.ts';

export interface FlashSaleOptions {
  /** Every id of the run begins with `f<run>-`, so that a sale can be repeated on one system. */
  readonly run: string;
  readonly seed: number;
  readonly buyers: number;
  readonly units: number;
  readonly durationSeconds: number;
}

/** What a buyer does with a granted unit. */
export type Fate = 'confirm' | 'release' | 'abandon';

export interface Buyer {
  readonly id: string;
  readonly channel: string;
  readonly fate: Fate;
  /** Gives up the first attempt after this time and asks again with the same id. */
  readonly patienceMs?: number;
  readonly thinkSeconds: number;
}

export interface CounterSale {
  readonly id: string;
  readonly node: string;
  readonly quantity: number;
  readonly patienceMs?: number;
}

export interface FlashSalePlan {
  readonly options: FlashSaleOptions;
  readonly keyPrefix: string;
  readonly sku: string;
  readonly nodes: PutNodes['nodes'];
  readonly channels: PutChannels['channels'];
  /** The units of the sale: acknowledged before the first buyer comes. */
  readonly stock: MovementsRequest;
  readonly expiresInSeconds: number;
  readonly stages: readonly Stage[];
  readonly buyers: readonly Buyer[];
  readonly counterSales: readonly CounterSale[];
}

const NODES = 10;
const CHANNEL_TYPES = ['web', 'marketplace', 'endless_aisle'] as const;
const CONFIRMING_SHARE = 0.7;
const RELEASING_SHARE = 0.1;
const IMPATIENT_SHARE = 0.05;
const PATIENCE_MS_LEAST = 2;
const PATIENCE_MS_MOST = 40;
const THINK_SECONDS_MAX = 0.3;
/** Counter sales, as a share of the units. */
const COUNTER_SHARE = 0.06;
/** The first of them empty shelves, while other nodes still have units to which promises can be moved. */
const LARGE_SALES_SHARE = 0.15;
const LARGE_SALE_SHARE = 0.015;
const EXPIRES_IN_SECONDS_MAX = 8;

export function planFlashSale(options: FlashSaleOptions): FlashSalePlan {
  const { run, seed, units, durationSeconds } = options;
  const keyPrefix = `f${run}-`;
  const sku = `${keyPrefix}sku`;
  const nodes = Array.from({ length: NODES }, (_, index) => ({
    node: `${keyPrefix}n${String(index + 1).padStart(2, '0')}`,
    type: index % 5 === 4 ? ('warehouse' as const) : ('store' as const),
  }));
  const codes = nodes.map(({ node }) => node);
  const channels = CHANNEL_TYPES.map((type) => ({ channel: `${keyPrefix}${type}`, type, nodes: codes }));
  const movements = spreadUnits(units, NODES, randomOf(seed, 'stock')).flatMap((quantity, index) =>
    quantity === 0 ? [] : [{ type: 'receipt' as const, sku, node: codes[index] ?? '', quantity }],
  );
  return {
    options,
    keyPrefix,
    sku,
    nodes,
    channels,
    stock: { id: `${keyPrefix}stock`, source: 'wms', movements },
    // Abandoned carts come back to the pool while buyers still arrive.
    expiresInSeconds: Math.max(2, Math.min(EXPIRES_IN_SECONDS_MAX, Math.floor(durationSeconds / 5))),
    stages: arrivalStages(options.buyers, durationSeconds),
    buyers: Array.from({ length: options.buyers }, (_, index) => buyerOf(options, keyPrefix, index)),
    counterSales: counterSalesOf(options, keyPrefix, codes),
  };
}

function buyerOf({ seed }: FlashSaleOptions, keyPrefix: string, index: number): Buyer {
  const random = randomOf(seed, `buyer:${index}`);
  const type = CHANNEL_TYPES[random.below(CHANNEL_TYPES.length)] ?? 'web';
  const chance = random.fraction();
  const fate =
    chance < CONFIRMING_SHARE ? 'confirm' : chance < CONFIRMING_SHARE + RELEASING_SHARE ? 'release' : 'abandon';
  const thinkSeconds = random.below(THINK_SECONDS_MAX * 1_000) / 1_000;
  return { id: `${keyPrefix}b${index}`, channel: `${keyPrefix}${type}`, fate, thinkSeconds, ...patienceOf(random) };
}

function counterSalesOf({ seed, units }: FlashSaleOptions, keyPrefix: string, nodes: readonly string[]): CounterSale[] {
  const count = Math.max(1, Math.round(units * COUNTER_SHARE));
  return Array.from({ length: count }, (_, index) => {
    const random = randomOf(seed, `counter:${index}`);
    const node = nodes[random.below(nodes.length)] ?? '';
    const isLarge = index < count * LARGE_SALES_SHARE;
    const quantity = isLarge ? Math.max(1, Math.round(units * LARGE_SALE_SHARE)) : 1;
    return { id: `${keyPrefix}pos${index}`, node, quantity, ...patienceOf(random) };
  });
}

function patienceOf(random: ReturnType<typeof randomOf>): { readonly patienceMs?: number } {
  if (random.fraction() >= IMPATIENT_SHARE) return {};
  return { patienceMs: PATIENCE_MS_LEAST + random.below(PATIENCE_MS_MOST - PATIENCE_MS_LEAST) };
}
