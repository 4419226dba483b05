import {
  AVAILABILITY_OPERATIONS,
  type MovementsRequest,
  type PutChannels,
  type PutNodes,
  type PutSkus,
  type PutThresholds,
} from '@onepool/contracts';
import type { DemoNetwork } from './demo-network.ts';

/** One call of the public API. Each is a no-op when it was applied before. */
export interface SeedRequest {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body: PutNodes | PutSkus | PutChannels | PutThresholds | MovementsRequest;
}

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
 * Catalogue calls replace what is there. Stock comes as movements whose ids are fixed: sent again, the API answers them
 * from memory and moves nothing. Changing the opening stock needs new ids and an empty pool.
 */
export function seedRequests(network: DemoNetwork): SeedRequest[] {
  const { putNodes, putSkus, putChannels, putThresholds, recordMovements } = AVAILABILITY_OPERATIONS;
  const { nodes, skus, channels, thresholds, receipts } = network;
  const call = (what: string, { http }: { http: { method: string; path: string } }, body: SeedRequest['body']) => ({
    what,
    method: http.method,
    path: http.path,
    body,
  });
  return [
    call('nodes', putNodes, { nodes: [...nodes] }),
    ...chunksOf(skus, SKUS_PER_REQUEST_MAX).map((chunk) => call('SKUs', putSkus, { skus: chunk })),
    call('channels', putChannels, { channels: [...channels] }),
    call('thresholds', putThresholds, { thresholds: [...thresholds] }),
    ...chunksOf(receipts, MOVEMENTS_PER_REQUEST_MAX).map((movements, index) =>
      call('opening stock', recordMovements, {
        id: `demo-opening-stock-${String(index + 1).padStart(3, '0')}`,
        source: 'demo-seed',
        movements,
      }),
    ),
  ];
}
