/**
 * Opening stock, shaped like a retailer's: most SKUs lie in warehouses in depth, a share also in some stores a few units
 * deep, few at the 3PL; what no warehouse keeps, a supplier ships.
 */
import type { Faker } from '@faker-js/faker';
import type { Movement, Node, NodeType, Sku } from '@onepool/contracts';

const SHARE_IN_WAREHOUSES = 0.88;
const SHARE_IN_STORES = 0.35;
const SHARE_AT_3PL = 0.2;
const SHARE_AT_SUPPLIERS = 0.08;

interface Depth {
  readonly min: number;
  readonly max: number;
}

function receiptsOf(faker: Faker, sku: string, nodes: readonly string[], howMany: Depth, units: Depth): Movement[] {
  const chosen = faker.helpers.arrayElements([...nodes], howMany);
  return chosen
    .sort()
    .map((node) => ({ type: 'receipt', sku, node, quantity: faker.number.int(units), reason: 'opening stock' }));
}

/** One receipt for each SKU and node that starts with units; every SKU has some. */
export function demoReceipts(faker: Faker, skus: readonly Sku[], nodes: readonly Node[]): Movement[] {
  const of = (type: NodeType): string[] => nodes.filter((node) => node.type === type).map((node) => node.node);
  const warehouses = of('warehouse');
  const stores = of('store');
  const thirdParties = of('3pl');
  const suppliers = of('dropship');
  const chance = (share: number): boolean => faker.datatype.boolean(share);

  return skus.flatMap(({ sku }) => {
    const inWarehouses = chance(SHARE_IN_WAREHOUSES);
    const atSuppliers = !inWarehouses || chance(SHARE_AT_SUPPLIERS);
    const place = (isKept: boolean, at: readonly string[], howMany: Depth, units: Depth): Movement[] =>
      isKept ? receiptsOf(faker, sku, at, howMany, units) : [];
    return [
      ...place(inWarehouses, warehouses, { min: 1, max: warehouses.length }, { min: 40, max: 400 }),
      ...place(chance(SHARE_IN_STORES), stores, { min: 3, max: 12 }, { min: 2, max: 24 }),
      ...place(chance(SHARE_AT_3PL), thirdParties, { min: 1, max: 1 }, { min: 20, max: 200 }),
      ...place(atSuppliers, suppliers, { min: 1, max: 1 }, { min: 50, max: 300 }),
    ];
  });
}
