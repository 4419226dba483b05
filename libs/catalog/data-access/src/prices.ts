/**
 * Dated prices: a list for each SKU, channel and currency. A list that is removed stays as a row with none, so that its
 * versions go on.
 */
import { CATALOG_PRICE_CHANGED, type Price, type PricePeriod } from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import { factKey } from '@onepool/platform-messaging';
import type { Work } from '@onepool/platform-unit-of-work';
import type pg from 'pg';
import { unknownCurrency } from './checks/currencies.ts';
import { type Fault, fault } from './checks/fault.ts';
import { shortKey } from './short-key.ts';

/** What a list of prices is for. */
export const priceKey = ({ sku, channel, currency }: Omit<Price, 'periods'>): string =>
  shortKey(factKey(sku, channel, currency));

/** The key of its facts. */
export const priceAggregate = (key: string): string => `price/${key}`;

export const asTold = (key: string, price: Price): { readonly key: string; readonly value: Price | null } => ({
  key,
  value: price.periods.length === 0 ? null : price,
});

/** With times in UTC, by when they begin. */
export const inOrder = ({ periods, ...about }: Price): Price => ({
  ...about,
  periods: periods
    .map(({ amount, validFrom, validTo }) => ({
      amount,
      validFrom: isoOf(validFrom),
      ...(validTo !== undefined && { validTo: isoOf(validTo) }),
    }))
    .toSorted((one, other) => timeOf(one.validFrom) - timeOf(other.validFrom)),
});

const isoOf = (text: string): string => new Date(timeOf(text)).toISOString();

/** What is wrong with prices in order; its paths name them in that order. */
export function unsoundPrice({ currency, periods }: Price): Fault | undefined {
  return unknownCurrency('currency', currency) ?? overlapping(periods);
}

function overlapping(periods: readonly PricePeriod[]): Fault | undefined {
  for (const [index, { validFrom, validTo }] of periods.entries()) {
    if (validTo !== undefined && validTo <= validFrom) {
      return fault(
        'periods',
        'out_of_range',
        `a price that begins at ${validFrom} must end later, and not at ${validTo}`,
      );
    }
    const next = periods[index + 1];
    const isBoth = next !== undefined && (validFrom === next.validFrom || (validTo ?? validFrom) > next.validFrom);
    if (isBoth) return overlap(validFrom, next.validFrom);
  }
  return undefined;
}

const overlap = (one: string, other: string): Fault =>
  fault('periods', 'overlap', `two prices hold at the same time: those that begin at ${one} and at ${other}`);

export interface PriceKeys {
  readonly sku: ReadonlyMap<string, number>;
  readonly channel: ReadonlyMap<string, number>;
}

/** Writes and tells those that are not yet what they should be. */
export async function setPrices(work: Work, prices: readonly Price[], keys: PriceKeys): Promise<void> {
  const { rows } = await work.client.query<{ position: number }>(SET, [
    prices.map(({ sku }) => keys.sku.get(sku)),
    prices.map(({ channel }) => keys.channel.get(channel)),
    prices.map(({ currency }) => currency),
    prices.map(({ periods }) => JSON.stringify(periods)),
  ]);
  for (const { position } of rows) {
    const price = prices[position - 1];
    if (price) work.tell(priceAggregate(priceKey(price)), CATALOG_PRICE_CHANGED, asTold(priceKey(price), price));
  }
}

/** What was never set is not removed. Answers the places of those that are now something else. */
const SET = `
  WITH told AS (
    SELECT * FROM unnest($1::int[], $2::int[], $3::text[], $4::text[]) WITH ORDINALITY
      AS x (sku_key, channel_key, currency, periods, position)),
  altered AS (
    SELECT told.* FROM told LEFT JOIN price p USING (sku_key, channel_key, currency)
     WHERE told.periods <> coalesce(p.periods::text, '[]')),
  written AS (
    INSERT INTO price (sku_key, channel_key, currency, periods)
    SELECT sku_key, channel_key, currency, periods::json FROM altered ORDER BY position
    ON CONFLICT (sku_key, channel_key, currency) DO UPDATE SET periods = excluded.periods)
  SELECT position::int FROM altered ORDER BY position`;

/** Those behind `after`, in the order in which they were first set; removed ones only where they are asked for. */
export async function readPrices(
  client: Pick<pg.ClientBase, 'query'>,
  { after, limit, withRemoved }: { readonly after: number; readonly limit: number; readonly withRemoved: boolean },
): Promise<readonly { readonly at: number; readonly price: Price }[]> {
  const { rows } = await client.query<Price & { at: number }>(
    `SELECT p.price_key AS at, s.code AS sku, c.code AS channel, p.currency, p.periods
       FROM price p JOIN sku s USING (sku_key) JOIN channel c USING (channel_key)
      WHERE p.price_key > $1 AND ($3 OR p.periods::text <> '[]') ORDER BY p.price_key LIMIT $2`,
    [after, limit, withRemoved],
  );
  return rows.map(({ at, sku, channel, currency, periods }) => ({ at, price: { sku, channel, currency, periods } }));
}
