import type { SkuEntity } from '../entities.ts';
import type { Draft } from '../draft.ts';
import { unknownCurrency } from './currencies.ts';
import { type Fault, type RowCheck, checkDigit, fault, repeated } from './fault.ts';

export const SKU_CHECKS: readonly RowCheck<SkuEntity>[] = [
  { members: ['gtin'], fault: ({ gtin }) => checkDigit('gtin', gtin) },
  { members: ['identifiers'], fault: unsoundIdentifier },
  {
    members: ['supplierCostCurrency'],
    fault: ({ supplierCostCurrency }) => unknownCurrency('supplierCostCurrency', supplierCostCurrency),
  },
  { members: ['supplierCost', 'supplierCostCurrency'], fault: halfACost },
];

const GTIN = /^(\d{8}|\d{12,14})$/;

function unsoundIdentifier({ identifiers }: Draft<SkuEntity>): Fault | undefined {
  for (const [index, { type, value }] of (identifiers ?? []).entries()) {
    const member = `identifiers/${index}/value`;
    if (type !== 'gtin') continue;
    if (!GTIN.test(value)) return fault(member, 'pattern', 'a GTIN has 8, 12, 13 or 14 digits');
    const found = checkDigit(member, value);
    if (found) return found;
  }
  return repeated('identifiers', identifiers ?? [], ({ type, value }) => JSON.stringify([type, value]));
}

function halfACost({ supplierCost, supplierCostCurrency }: Draft<SkuEntity>): Fault | undefined {
  const [hasCost, hasCurrency] = [typeof supplierCost === 'number', typeof supplierCostCurrency === 'string'];
  if (hasCost === hasCurrency) return undefined;
  const [member, other] = hasCost ? ['supplierCostCurrency', 'supplierCost'] : ['supplierCost', 'supplierCostCurrency'];
  return fault(member, 'missing', `a cost has both: ${other} is told and ${member} is not`);
}

/** Every GTIN of the row, of 14 digits, so that one is the same whether it was told with leading zeros or without. */
export function gtinsOf({ gtin, identifiers }: Draft<SkuEntity>): string[] {
  const more = (identifiers ?? []).filter(({ type }) => type === 'gtin').map(({ value }) => value);
  return [...new Set([...(typeof gtin === 'string' ? [gtin] : []), ...more].map((one) => one.padStart(14, '0')))];
}
