/** The calls of a replay other than its traffic: each has to succeed, or the replay cannot go on. */
import { LINES_MAX } from '@onepool/contracts';
import type { LedgerVerification, PutChannels, PutNodes, StockOfSku } from '@onepool/contracts';
import type { CallResult, Caller } from './api-client.ts';
import { SystemUnavailable } from './system-unavailable.ts';

const demand = async <T>(what: string, call: Promise<CallResult<T>>): Promise<T> => {
  const result = await call;
  if (result.kind === 'granted') return result.value;
  const why = result.kind === 'refused' ? JSON.stringify(result.problem) : result.reason;
  throw new SystemUnavailable(`${what}: ${why.slice(0, 500)}`);
};

const batchesOf = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / LINES_MAX) }, (_, index) =>
    items.slice(index * LINES_MAX, (index + 1) * LINES_MAX),
  );

export const putSkus = async (client: Caller, skus: readonly string[]): Promise<void> => {
  for (const batch of batchesOf(skus)) {
    const body = { skus: batch.map((sku) => ({ sku })) };
    await demand(
      'Creating SKUs failed',
      client.call((onepool) => onepool.putSkus({ body })),
    );
  }
};

export const putNetwork = async (
  client: Caller,
  nodes: PutNodes['nodes'],
  channels: PutChannels['channels'],
): Promise<void> => {
  await demand(
    'Creating nodes failed',
    client.call((onepool) => onepool.putNodes({ body: { nodes } })),
  );
  await demand(
    'Creating channels failed',
    client.call((onepool) => onepool.putChannels({ body: { channels } })),
  );
};

export const readStock = (client: Caller, sku: string): Promise<StockOfSku> =>
  demand(
    `Reading the stock of ${sku} failed`,
    client.call((onepool) => onepool.getStock({ params: { sku } })),
  );

/** Facts written for keys that begin so. */
export const countEvents = async (client: Caller, namePrefix: string): Promise<number> => {
  const { written } = await demand(
    'Counting events failed',
    client.call((onepool) => onepool.countEvents({ query: { namePrefix } })),
  );
  return written;
};

export const verifyLedger = (client: Caller, skuPrefix: string): Promise<LedgerVerification> =>
  demand(
    'Verifying the ledger failed',
    client.call((onepool) => onepool.verifyLedger({ body: { skuPrefix } })),
  );
