import type { RequestOf } from '@onepool/client';
import type { AVAILABILITY_OPERATIONS } from '@onepool/contracts';
import type { DemoNetwork } from './demo-network.ts';

type Operations = Pick<
  typeof AVAILABILITY_OPERATIONS,
  'putNodes' | 'putSkus' | 'putChannels' | 'putThresholds' | 'recordMovements'
>;

/** One call of the public API. Each is a no-op when it was applied before. */
export type SeedRequest = {
  [O in keyof Operations]: { readonly what: string; readonly operation: O } & Pick<RequestOf<Operations[O]>, 'body'>;
}[keyof Operations];

/** Far below the API's limits of 2,000 lines and 1 MB, so that progress shows and no batch holds its locks for long. */
const SKUS_PER_REQUEST_MAX = 500;
const MOVEMENTS_PER_REQUEST_MAX = 1_000;

function chunksOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/**
 * The calls that build the network, in the order in which they depend on each other.
 *
 * Catalogue calls name every field that they tell. Stock comes as movements whose ids are fixed: sent again, the API answers them
 * from memory and moves nothing. Changing the opening stock needs new ids and an empty pool.
 */
export function seedRequests(network: DemoNetwork): SeedRequest[] {
  const { nodes, skus, channels, thresholds, receipts } = network;
  return [
    { what: 'nodes', operation: 'putNodes', body: { nodes } },
    ...chunksOf(skus, SKUS_PER_REQUEST_MAX).map((chunk): SeedRequest => ({
      what: 'SKUs',
      operation: 'putSkus',
      body: { skus: chunk },
    })),
    { what: 'channels', operation: 'putChannels', body: { channels } },
    { what: 'thresholds', operation: 'putThresholds', body: { thresholds } },
    ...chunksOf(receipts, MOVEMENTS_PER_REQUEST_MAX).map((movements, index): SeedRequest => {
      const id = `demo-opening-stock-${String(index + 1).padStart(3, '0')}`;
      return { what: 'opening stock', operation: 'recordMovements', body: { id, source: 'demo-seed', movements } };
    }),
  ];
}
