/**
 * Waits until the system has nothing left to do for the run: no SKU has both a shortfall and units that could heal it,
 * and every fact written has arrived. A stall ends the wait; what is missing then is for the audit to say.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { StockOfSku } from '@onepool/contracts';
import type { Plan } from '@onepool/simulator-domain';
import type { FactLog } from '../facts/fact-log.ts';
import type { FactSource } from '../facts/fact-source.ts';
import type { ApiClient } from './api-client.ts';
import { countEvents, readStock } from './availability-api.ts';
import { inParallel } from './in-parallel.ts';

export interface Quiescence {
  readonly stocks: readonly StockOfSku[];
  /** Facts that the system says it wrote for the run. */
  readonly written: number;
  readonly settled: boolean;
}

export interface QuiescenceOptions {
  readonly concurrency: number;
  /** Without any progress for so long, the wait is over. */
  readonly stallMs: number;
  readonly pollMs: number;
}

export const awaitQuiescence = async (
  client: ApiClient,
  { skus, keyPrefix }: Pick<Plan, 'skus' | 'keyPrefix'>,
  facts: { readonly log: FactLog; readonly source: FactSource },
  { concurrency, stallMs, pollMs }: QuiescenceOptions,
): Promise<Quiescence> => {
  const stocks = new Map<string, StockOfSku>();
  let progress = '';
  let progressAtMs = performance.now();
  let rewound = false;
  for (;;) {
    const unsettled = skus.filter((sku) => !isSettled(stocks.get(sku), facts.log));
    await inParallel(unsettled, concurrency, async (sku) => void stocks.set(sku, await readStock(client, sku)));
    const written = await countEvents(client, keyPrefix);
    const left = skus.filter((sku) => !isSettled(stocks.get(sku), facts.log)).length;
    const result = { stocks: [...stocks.values()], written };
    if (left === 0 && facts.log.received >= written) return { ...result, settled: true };

    const now = `${left} ${facts.log.received} ${written}`;
    if (now !== progress) progressAtMs = performance.now();
    progress = now;
    const stalledMs = performance.now() - progressAtMs;
    if (stalledMs > stallMs) return { ...result, settled: false };
    if (!rewound && stalledMs > stallMs / 2) {
      rewound = true;
      facts.source.rewind();
    }
    await wait(pollMs);
  }
};

/** The book and the facts agree on the version, and no shortfall is left that stock elsewhere could heal. */
const isSettled = (stock: StockOfSku | undefined, log: FactLog): boolean => {
  if (!stock || stock.version !== log.versionOf(stock.sku)) return false;
  return !stock.rows.some(({ shortfall }) => shortfall > 0) || !stock.rows.some(({ available }) => available > 0);
};
