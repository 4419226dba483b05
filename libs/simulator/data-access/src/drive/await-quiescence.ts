/**
 * Waits until the system has nothing left to do for the run: no SKU has both a shortfall and units that could heal it,
 * and every fact written has arrived. A stall ends the wait; what is missing then is for the audit to say. While facts
 * still arrive that were recorded before the traffic ended, whosever they are, nothing has stalled: a stream that was lost
 * is filled again from its beginning, which takes as long as it takes. Facts of later traffic prolong nothing.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { StockOfSku } from '@onepool/contracts';
import type { Plan } from '@onepool/simulator-domain';
import type { FactLog } from '../facts/fact-log.ts';
import type { FactSource } from '../facts/fact-source.ts';
import type { Caller } from './api-client.ts';
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
  readonly clock?: Clock;
}

/** Milliseconds that only grow, and a pause. */
export interface Clock {
  now(): number;
  wait(ms: number): Promise<unknown>;
}
const MACHINE: Clock = { now: () => performance.now(), wait: (ms) => wait(ms) };

export const awaitQuiescence = async (
  client: Caller,
  { skus, keyPrefix }: Pick<Plan, 'skus' | 'keyPrefix'>,
  facts: { readonly log: FactLog; readonly source: FactSource },
  { concurrency, stallMs, pollMs, clock = MACHINE }: QuiescenceOptions,
): Promise<Quiescence> => {
  const stocks = new Map<string, StockOfSku>();
  let progress = '';
  let progressAtMs = clock.now();
  let endedAtMs: number | undefined;
  let rewound = false;
  for (;;) {
    const unsettled = skus.filter((sku) => !isSettled(stocks.get(sku), facts.log));
    await inParallel(unsettled, concurrency, async (sku) => void stocks.set(sku, await readStock(client, sku)));
    const written = await countEvents(client, keyPrefix);
    endedAtMs ??= Math.max(...[...stocks.values()].map(({ asOf }) => Date.parse(asOf)));
    const left = skus.filter((sku) => !isSettled(stocks.get(sku), facts.log)).length;
    const result = { stocks: [...stocks.values()], written };
    if (left === 0 && facts.log.received >= written) return { ...result, settled: true };

    const now = `${left} ${facts.log.received} ${written}`;
    const isRefilled = facts.log.oldestSinceAsked() <= endedAtMs;
    if (now !== progress || isRefilled) progressAtMs = clock.now();
    progress = now;
    const stalledMs = clock.now() - progressAtMs;
    if (stalledMs > stallMs) return { ...result, settled: false };
    if (!rewound && stalledMs > stallMs / 2) {
      rewound = true;
      facts.source.rewind();
    }
    await clock.wait(pollMs);
  }
};

/** The book and the facts agree on the version, and no shortfall is left that stock elsewhere could heal. */
const isSettled = (stock: StockOfSku | undefined, log: FactLog): boolean => {
  if (!stock || stock.version !== log.versionOf(stock.sku)) return false;
  return !stock.rows.some(({ shortfall }) => shortfall > 0) || !stock.rows.some(({ available }) => available > 0);
};
