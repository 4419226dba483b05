/** What a SKU costs in a channel, and when. */
import { type Static, Type } from '@sinclair/typebox';
import { ChannelCode, SkuCode, Timestamp, closed } from '../shared/primitives.ts';
import { Currency, MinorUnits, many } from './members.ts';

export const PricePeriod = closed({
  amount: MinorUnits,
  validFrom: Timestamp,
  /** After `validFrom`; not in it any more. Without one it holds until the next begins, or for good. */
  validTo: Type.Optional(Timestamp),
});
export type PricePeriod = Static<typeof PricePeriod>;
export const Price = closed(
  {
    sku: SkuCode,
    channel: ChannelCode,
    currency: Currency,
    periods: Type.Array(PricePeriod, {
      maxItems: 200,
      description:
        'By `validFrom`. No two of them may overlap. A list that is sent replaces it; an empty one removes it.',
    }),
  },
  { description: 'Prices of a SKU in a channel in one currency.' },
);
export type Price = Static<typeof Price>;
export const PutPrices = closed({ prices: many(Price) });
export type PutPrices = Static<typeof PutPrices>;
