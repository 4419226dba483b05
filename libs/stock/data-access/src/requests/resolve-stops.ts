/** Stops of SKUs, by keys: for each SKU a command of its own, since none depends on another. */
import type { PutStops, SkuStopChange } from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import type { Limits } from '@onepool/platform-rights';
import { type SellingRules, type StopChange, accept, reject } from '@onepool/stock-domain';
import type { CodeBook } from '../catalogue/code-book.ts';
import type { Caller } from './resolve.ts';
import { beyond, channelOf, nodeKeys, skuKeys } from './resolve.ts';
import type { StopCommand } from './command.ts';
import type { Answer, Refusal } from './refusal.ts';

export async function resolveStops(
  caller: Pick<Caller, 'trace'> & Limits,
  { stops }: PutStops,
  rules: SellingRules,
  book: CodeBook,
): Promise<Answer<readonly StopCommand[]>> {
  const skus = await skuKeys(
    book,
    stops.map(({ sku }) => sku),
  );
  if (!skus.ok) return skus;
  const bySku = new Map<number, StopChange[]>();
  for (const [index, stop] of stops.entries()) {
    const forbidden = beyondOwn(caller, stop);
    if (forbidden) return reject(forbidden);
    const change = resolveStop(stop, rules);
    if (!change.ok) return change;
    const sku = skus.value[index] ?? 0;
    bySku.set(sku, [...(bySku.get(sku) ?? []), change.value]);
  }
  const { trace } = caller;
  return accept([...bySku].map(([sku, changes]) => ({ kind: 'stop', skus: [sku], changes, trace })));
}

function resolveStop({ node, channel, mode, until }: SkuStopChange, rules: SellingRules): Answer<StopChange> {
  const at = nodeKeys(rules, node === undefined ? [] : [node]);
  if (!at.ok) return at;
  const selling = channel === undefined ? null : channelOf(rules, channel);
  if (selling?.ok === false) return selling;
  const [key = null] = at.value;
  return accept({
    node: key,
    channel: selling && selling.value.key,
    mode,
    until: until === undefined ? null : timeOf(until),
  });
}

/** Whoever is limited stops what is its own, and says so: a stop without a node is for all of them. */
function beyondOwn(limits: Limits, { node, channel }: SkuStopChange): Refusal | null {
  if (node === undefined && limits.nodes !== 'all') return { code: 'node.forbidden', ...NAME_ONE };
  if (channel === undefined && limits.channels !== 'all') return { code: 'channel.forbidden', ...NAME_ONE };
  return (
    (node === undefined ? null : beyond(limits, { kind: 'node_work', nodes: [node] })) ??
    (channel === undefined ? null : beyond(limits, { kind: 'selling', channel }))
  );
}

const NAME_ONE = { detail: 'The key is limited: name a node or channel that is its own.', details: {} };
