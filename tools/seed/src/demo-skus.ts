import type { Faker } from '@faker-js/faker';
import type { Sku } from '@onepool/contracts';
import { gs1Number } from './gs1.ts';

/** What a category's goods weigh, from and to, in grams. */
const CATEGORIES = [
  { category: 'Kitchen', weightGrams: [120, 4_500] },
  { category: 'Garden', weightGrams: [200, 12_000] },
  { category: 'Toys', weightGrams: [50, 2_500] },
  { category: 'Lighting', weightGrams: [150, 3_500] },
  { category: 'Stationery', weightGrams: [20, 900] },
  { category: 'Textiles', weightGrams: [80, 1_800] },
  { category: 'Bathroom', weightGrams: [60, 2_200] },
  { category: 'Outdoor', weightGrams: [250, 18_000] },
] as const;

/** Invented goods, in order of their codes: `OP-00001`, `OP-00002`, … The same random state gives the same goods. */
export function demoSkus(faker: Faker, count: number): Sku[] {
  return Array.from({ length: count }, (_, index) => {
    const { category, weightGrams } = faker.helpers.arrayElement(CATEGORIES);
    const [min, max] = weightGrams;
    return {
      sku: `OP-${String(index + 1).padStart(5, '0')}`,
      title: faker.commerce.productName(),
      gtin: gs1Number(index + 1),
      weightGrams: faker.number.int({ min, max }),
      category,
    };
  });
}
