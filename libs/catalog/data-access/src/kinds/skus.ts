import { CATALOG_SKU_CHANGED, type Sku, type SkuChange } from '@onepool/contracts';
import { SKU_CHECKS, gtinsOf } from '../checks/sku-checks.ts';
import { SkuEntity } from '../entities.ts';
import { empty, given, inOneOrder, present, told } from '../fields.ts';
import type { Kind } from '../kinds.ts';

const PLAIN = [
  'title',
  'gtin',
  'weightGrams',
  'lengthMm',
  'widthMm',
  'heightMm',
  'category',
  'brand',
  'taxClass',
  'supplierCost',
  'supplierCostCurrency',
  'leadTimeDays',
] as const;
const FIELDS = [...PLAIN, 'identifiers'] as const;

export const SKUS: Kind<SkuEntity, SkuChange, Sku> = {
  noun: 'sku',
  entity: SkuEntity,
  fact: CATALOG_SKU_CHANGED,
  shown: (row) => ({ sku: row.code, ...present(row, FIELDS) }),
  codeOf: ({ sku }) => sku,
  created: (code) => ({ code, ...empty(FIELDS), gtins: [] }),
  told: (change) => ({
    ...told(change, PLAIN),
    ...given({ identifiers: inOneOrder(change.identifiers, ['type', 'value', 'unitsPerPack']) }),
  }),
  derived: (row) => ({ gtins: gtinsOf(row) }),
  needs: {},
  ruling: [],
  checks: SKU_CHECKS,
};
