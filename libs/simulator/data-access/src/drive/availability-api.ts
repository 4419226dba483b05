/** The calls of a replay other than its traffic: each has to succeed, or the replay cannot go on. */
import { AVAILABILITY_OPERATIONS, LINES_MAX } from '@onepool/contracts';
import type { EventCount, LedgerVerification, Operation, PutChannels, PutNodes, StockOfSku } from '@onepool/contracts';
import type { CallResult, Caller } from './api-client.ts';
import { SystemUnavailable } from './system-unavailable.ts';

type OperationName = keyof typeof AVAILABILITY_OPERATIONS;

/** Sends an operation of the contract; `parameters` fill its path. */
export const send = (
  client: Caller,
  name: OperationName,
  parameters: Readonly<Record<string, string>>,
  body?: unknown,
  query = '',
): Promise<CallResult> => {
  const { http }: Operation = AVAILABILITY_OPERATIONS[name];
  const path = http.path.replace(/\{(\w+)\}/g, (_, member: string) => encodeURIComponent(parameters[member] ?? ''));
  return client.call(http.method, path + query, body);
};

const demand = async (what: string, call: Promise<CallResult>): Promise<unknown> => {
  const result = await call;
  if (result.kind === 'answered' && result.status < 300) return result.body;
  const why = result.kind === 'answered' ? `${result.status} ${JSON.stringify(result.body)}` : result.reason;
  throw new SystemUnavailable(`${what}: ${why.slice(0, 500)}`);
};

const batchesOf = <T>(items: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(items.length / LINES_MAX) }, (_, index) =>
    items.slice(index * LINES_MAX, (index + 1) * LINES_MAX),
  );

export const putSkus = async (client: Caller, skus: readonly string[]): Promise<void> => {
  for (const batch of batchesOf(skus)) {
    const body = { skus: batch.map((sku) => ({ sku })) };
    await demand('Creating SKUs failed', send(client, 'putSkus', {}, body));
  }
};

export const putNetwork = async (
  client: Caller,
  nodes: PutNodes['nodes'],
  channels: PutChannels['channels'],
): Promise<void> => {
  await demand('Creating nodes failed', send(client, 'putNodes', {}, { nodes }));
  await demand('Creating channels failed', send(client, 'putChannels', {}, { channels }));
};

export const readStock = async (client: Caller, sku: string): Promise<StockOfSku> =>
  (await demand(`Reading the stock of ${sku} failed`, send(client, 'getStock', { sku }))) as StockOfSku;

/** Facts written for keys that begin so. */
export const countEvents = async (client: Caller, keyPrefix: string): Promise<number> => {
  const query = `?keyPrefix=${encodeURIComponent(keyPrefix)}`;
  const count = await demand('Counting events failed', send(client, 'countEvents', {}, undefined, query));
  return (count as EventCount).written;
};

export const verifyLedger = async (client: Caller, skuPrefix: string): Promise<LedgerVerification> =>
  (await demand('Verifying the ledger failed', send(client, 'verifyLedger', {}, { skuPrefix }))) as LedgerVerification;
