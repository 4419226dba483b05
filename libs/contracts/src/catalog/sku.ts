/** SKUs: what is sold. */
import { type Static, Type } from '@sinclair/typebox';
import { ShortText, SkuCode, closed, oneOf } from '../shared/primitives.ts';
import { Currency, MinorUnits, PARTIAL, clearable, many, optional } from './members.ts';

export const IDENTIFIER_TYPES = ['gtin', 'asin', 'mpn', 'supplier_code', 'other'] as const;
export const Identifier = closed(
  {
    type: oneOf(IDENTIFIER_TYPES),
    value: Type.String({ printable: 'code', minLength: 1, maxLength: 255 }),
    unitsPerPack: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'Units that what bears it holds; 1 unless told.' }),
    ),
  },
  { description: 'By what others know the SKU, or a pack of it. A GTIN has its check digit.' },
);
export type Identifier = Static<typeof Identifier>;

const Millimetres = Type.Integer({ minimum: 0, maximum: 100_000, description: 'In millimetres.' });

const OF_SKU = {
  title: ShortText,
  gtin: Type.String({
    pattern: '^(\\d{8}|\\d{12,14})$',
    description: 'GTIN-8, -12, -13 or -14, with its check digit.',
  }),
  identifiers: Type.Array(Identifier, { maxItems: 100, description: 'All of them: a list that is sent replaces it.' }),
  weightGrams: Type.Integer({ minimum: 0, maximum: 10_000_000 }),
  lengthMm: Millimetres,
  widthMm: Millimetres,
  heightMm: Millimetres,
  category: ShortText,
  brand: ShortText,
  taxClass: ShortText,
  supplierCost: { ...MinorUnits, description: `${MinorUnits.description ?? ''} With its currency, or neither.` },
  supplierCostCurrency: Currency,
  leadTimeDays: Type.Integer({ minimum: 0, maximum: 1_000, description: 'Until the supplier delivers.' }),
};
export const Sku = closed({ sku: SkuCode, ...optional(OF_SKU) });
export type Sku = Static<typeof Sku>;
export const SkuChange = closed({ sku: SkuCode, ...clearable(OF_SKU) }, { description: PARTIAL });
export type SkuChange = Static<typeof SkuChange>;
export const PutSkus = closed({ skus: many(SkuChange) });
export type PutSkus = Static<typeof PutSkus>;
