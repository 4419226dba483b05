/**
 * Turns requests into commands: codes become keys, defaults are filled in, the body is hashed. Refuses what names a
 * SKU, node or channel that does not exist.
 */
import { hash } from 'node:crypto';
import {
  EXPIRES_IN_SECONDS_DEFAULT,
  type HoldRequest,
  type MovementsRequest,
  isReservedSource,
} from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import { type Concern, type Limits, beyondLimits } from '@onepool/platform-rights';
import {
  type HoldLine,
  type NodeKey,
  type SellingChannel,
  type SellingRules,
  type SkuKey,
  type StockMovement,
  type Transmission,
  accept,
  placeInTime,
  reject,
} from '@onepool/stock-domain';
import type { CodeBook } from '../catalogue/code-book.ts';
import type { Asker, HoldCommand, MovementsCommand, Traced } from './command.ts';
import type { SourceKey } from '../sources/source-book.ts';
import { type Answer, type Refusal, refuse } from './refusal.ts';

/** Who asks, how it came to us, and within which trace. */
export interface Caller extends Asker, Traced {
  /** Of the actor itself. */
  readonly sourceKey: SourceKey;
  readonly transmission: Transmission;
}

/** What stands in the way: `node.forbidden` or `channel.forbidden`, which names the first that is; else null. */
export function beyond(limits: Limits, concern: Concern): Refusal | null {
  const found = beyondLimits(limits, concern);
  if (!found) return null;
  const { code, ...details } = found;
  return { code, details };
}

/** Hashes positions, not member names, so that the order of members and spelt-out defaults make no difference. */
export const bodyHash = (parts: readonly unknown[]): Buffer => hash('sha256', JSON.stringify(parts), 'buffer');

/** Keys of the codes, in their order. */
export async function skuKeys(book: CodeBook, codes: readonly string[]): Promise<Answer<readonly SkuKey[]>> {
  const keys = await book.keysOf(codes);
  const known = keys.filter((key) => key !== null);
  if (known.length === keys.length) return accept(known);
  const unknown = codes.filter((_, index) => keys[index] === null);
  return refuse('sku.unknown', { skus: [...new Set(unknown)].slice(0, 20) });
}

/** Keys of the nodes, in their order. */
export function nodeKeys(rules: SellingRules, codes: readonly string[]): Answer<readonly NodeKey[]> {
  const keys: NodeKey[] = [];
  for (const code of codes) {
    const node = rules.nodesByCode.get(code);
    if (!node) return refuse('node.unknown', { node: code });
    keys.push(node.key);
  }
  return accept(keys);
}

export function channelOf(rules: SellingRules, code: string): Answer<SellingChannel> {
  const channel = rules.channelsByCode.get(code);
  return channel ? accept(channel) : refuse('channel.unknown', { channel: code });
}

export async function resolveHold(
  caller: Caller,
  request: HoldRequest,
  rules: SellingRules,
  book: CodeBook,
): Promise<Answer<HoldCommand>> {
  const { actor, person, trace } = caller;
  const { id, owner = actor, channel, lines, allowPartial = false, destination = null } = request;
  const { priority = 0, customerReference = null, override = null } = request;
  const forbidden = beyond(caller, { kind: 'selling', channel });
  if (forbidden) return reject(forbidden);
  const expiresInSeconds = request.expiresInSeconds ?? EXPIRES_IN_SECONDS_DEFAULT;
  const skus = await skuKeys(
    book,
    lines.map(({ sku }) => sku),
  );
  if (!skus.ok) return skus;
  const selling = channelOf(rules, channel);
  if (!selling.ok) return selling;
  const ids = lineIds(lines);
  if (!ids.ok) return ids;
  const demanded: HoldLine[] = [];
  for (const [index, { quantity, nodes = request.nodes, mayWait = false }] of lines.entries()) {
    const bound = nodes === undefined ? null : nodeKeys(rules, nodes);
    if (bound?.ok === false) return bound;
    const line = { sku: skus.value[index] ?? 0, quantity, nodes: bound && bound.value };
    demanded.push(mayWait ? { ...line, mayWait } : line);
  }
  const told = [
    channel,
    lines.map(({ id: line, sku, quantity, nodes, mayWait = false }) => [
      ...[sku, quantity, line ?? null, nodes ?? null],
      ...(mayWait ? [mayWait] : []),
    ]),
    allowPartial,
    expiresInSeconds,
    request.nodes ?? null,
    destination && [destination.lat, destination.lng],
    // Left out, they are not hashed: what was asked before they existed still finds its effect.
    ...(priority === 0 && customerReference === null && override === null
      ? []
      : [priority, customerReference, override]),
  ];
  return accept({
    kind: 'hold',
    actor,
    sourceKey: caller.sourceKey,
    person,
    owner,
    trace,
    id,
    bodyHash: bodyHash(told),
    skus: [...new Set(skus.value)],
    channel: selling.value.key,
    demand: { lines: demanded, allowPartial, destination, isSold: override === 'sold' },
    lineIds: ids.value,
    priority,
    customerReference,
    expiresInSeconds,
  });
}

/** Ids of lines: those that the client has chosen, and of others their place, from 1. */
function lineIds(lines: HoldRequest['lines']): Answer<readonly string[]> {
  const ids = lines.map(({ id }, index) => id ?? String(index + 1));
  const seen = new Set<string>();
  for (const id of ids) {
    if (seen.has(id)) return refuse('line.duplicate', { line: id });
    seen.add(id);
  }
  return accept(ids);
}

/** Of a source that claims the name under which the ledger shows what the engine did: `source.reserved`; else null. */
export const reservedName = (source: string): Refusal | null =>
  isReservedSource(source) ? { code: 'source.reserved', details: { source } } : null;

export async function resolveMovements(
  caller: Caller,
  request: MovementsRequest,
  rules: SellingRules,
  book: CodeBook,
  sourceKey: SourceKey,
  find: FindFulfilments,
): Promise<Answer<MovementsCommand>> {
  const { actor, person, trace } = caller;
  const { id, source, occurredAt, movements } = request;
  const places = movements.map((one) => (one.type === 'transfer' ? [one.node, one.toNode] : [one.node]));
  const forbidden = reservedName(source) ?? beyond(caller, { kind: 'node_work', nodes: places.flat() });
  if (forbidden) return reject(forbidden);
  const skus = await skuKeys(
    book,
    movements.map(({ sku }) => sku),
  );
  if (!skus.ok) return skus;
  const handOvers = await handOversOf(movements, find);
  if (!handOvers.ok) return handOvers;
  const told = movements.map((movement) => {
    const toNode = movement.type === 'transfer' ? movement.toNode : null;
    const { type, sku, node, quantity, reason, sourceEventId } = movement;
    const named = [type, sku, node, quantity, toNode, reason ?? null, sourceEventId ?? null] as const;
    const states = statesOf(movement);
    // Left out, they are not hashed: what was told before they existed still finds its effect.
    return states === null ? named : ([...named, states] as const);
  });
  const resolved: MovementsCommand['movements'][number][] = [];
  for (const [index, [type, , , quantity, , reason, sourceEventId, states = null]] of told.entries()) {
    const nodes = nodeKeys(rules, places[index] ?? []);
    if (!nodes.ok) return nodes;
    const [node = 0, toNode = null] = nodes.value;
    const handOver = handOvers.value[index] ?? null;
    const sku = skus.value[index] ?? 0;
    resolved.push({ type, sku, node, toNode, quantity, reason, sourceEventId, handOver, ...states });
  }
  return accept({
    kind: 'movements',
    actor,
    sourceKey,
    sourceName: source,
    person,
    trace,
    id,
    bodyHash: bodyHash(['movements', source, occurredAt ?? null, told, ...fulfilmentsOf(movements)]),
    skus: [...new Set(skus.value)],
    occurredAt: occurredAt === undefined ? null : placeInTime(timeOf(occurredAt), caller.transmission),
    movements: resolved,
  });
}

/** The states that a movement names; null if none. */
function statesOf(movement: MovementsRequest['movements'][number]): Pick<StockMovement, 'from' | 'to'> | null {
  const from = 'from' in movement ? movement.from : undefined;
  const to = 'to' in movement ? movement.to : undefined;
  if (from === undefined && to === undefined) return null;
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** Keys of reservations by fulfilments. */
export type FindFulfilments = (fulfilments: readonly string[]) => Promise<ReadonlyMap<string, readonly number[]>>;

const fulfilmentOf = (movement: MovementsRequest['movements'][number]): string | null =>
  movement.type === 'sale' ? (movement.fulfilment ?? null) : null;

/** For the hash: nothing where no movement names one. */
function fulfilmentsOf(movements: MovementsRequest['movements']): readonly unknown[] {
  const named = movements.map(fulfilmentOf);
  return named.every((one) => one === null) ? [] : [named];
}

async function handOversOf(
  movements: MovementsRequest['movements'],
  find: FindFulfilments,
): Promise<Answer<readonly MovementsCommand['movements'][number]['handOver'][]>> {
  const named = movements.map(fulfilmentOf);
  const found = await find(named.filter((one) => one !== null));
  const handOvers: MovementsCommand['movements'][number]['handOver'][] = [];
  for (const fulfilment of named) {
    if (fulfilment === null) {
      handOvers.push(null);
      continue;
    }
    const [reservationKey, ...others] = found.get(fulfilment) ?? [];
    if (reservationKey === undefined) return refuse('fulfilment.unknown', { fulfilment });
    if (others.length > 0) return refuse('fulfilment.ambiguous', { fulfilment });
    handOvers.push({ fulfilment, reservationKey });
  }
  return accept(handOvers);
}
