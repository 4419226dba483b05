/**
 * Turns requests into commands: codes become keys, defaults are filled in, the body is hashed. Refuses what names a
 * SKU, node or channel that does not exist.
 */
import { hash } from 'node:crypto';
import {
  type CancelRequest,
  type ConfirmRequest,
  EXPIRES_IN_SECONDS_DEFAULT,
  type ExtendRequest,
  type FulfilRequest,
  type HoldRequest,
  type MovementsRequest,
  type RebackRequest,
  type ReleaseRequest,
  isReservedSource,
} from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import { type Concern, type Limits, beyondLimits } from '@onepool/platform-rights';
import type { NodeKey, SellingRules, SkuKey } from '@onepool/stock-domain';
import type { Asker, HoldCommand, MovementsCommand, Verb } from './command.ts';
import { Refusal } from './refusal.ts';
import type { CodeBook } from './code-book.ts';

export type VerbRequest =
  | { readonly verb: 'extend'; readonly body: ExtendRequest }
  | { readonly verb: 'confirm'; readonly body: ConfirmRequest }
  | { readonly verb: 'fulfil'; readonly body: FulfilRequest }
  | { readonly verb: 'release'; readonly body: ReleaseRequest }
  | { readonly verb: 'cancel'; readonly body: CancelRequest }
  | { readonly verb: 're-back'; readonly body: RebackRequest };

/** Who asks, and within which trace. */
export interface Caller extends Asker {
  readonly trace: string | null;
}

/** @throws Refusal `node.forbidden` or `channel.forbidden`, which names the first that is */
export function demandWithinLimits(limits: Limits, concern: Concern): void {
  const beyond = beyondLimits(limits, concern);
  if (!beyond) return;
  const { code, ...named } = beyond;
  throw new Refusal(code, named);
}

/** Hashes positions, not member names, so that the order of members and spelt-out defaults make no difference. */
export const bodyHash = (parts: readonly unknown[]): Buffer => hash('sha256', JSON.stringify(parts), 'buffer');

export async function skuKeys(book: CodeBook, codes: readonly string[]): Promise<readonly SkuKey[]> {
  const keys = await book.keysOf(codes);
  const unknown = codes.filter((_, index) => keys[index] === null);
  if (unknown.length > 0) throw new Refusal('sku.unknown', { skus: [...new Set(unknown)].slice(0, 20) });
  return keys.filter((key) => key !== null);
}

export function nodeKey(rules: SellingRules, code: string): NodeKey {
  const node = rules.nodesByCode.get(code);
  if (!node) throw new Refusal('node.unknown', { node: code });
  return node.key;
}

export function channelOf(rules: SellingRules, code: string) {
  const channel = rules.channelsByCode.get(code);
  if (!channel) throw new Refusal('channel.unknown', { channel: code });
  return channel;
}

export async function resolveHold(
  caller: Caller,
  request: HoldRequest,
  rules: SellingRules,
  book: CodeBook,
): Promise<HoldCommand> {
  const { actor, person, trace } = caller;
  const { id, owner = actor, channel, lines, allowPartial = false, nodes, destination } = request;
  demandWithinLimits(caller, { kind: 'selling', channel });
  const expiresInSeconds = request.expiresInSeconds ?? EXPIRES_IN_SECONDS_DEFAULT;
  const keys = await skuKeys(
    book,
    lines.map(({ sku }) => sku),
  );
  const place = destination ? [destination.lat, destination.lng] : null;
  return {
    kind: 'hold',
    actor,
    person,
    owner,
    trace,
    id,
    bodyHash: bodyHash([
      channel,
      lines.map(({ sku, quantity }) => [sku, quantity]),
      allowPartial,
      expiresInSeconds,
      nodes ?? null,
      place,
    ]),
    skus: [...new Set(keys)],
    channel: channelOf(rules, channel).key,
    demand: {
      lines: lines.map(({ quantity }, index) => ({ sku: keys[index] ?? 0, quantity })),
      allowPartial,
      destination: destination ?? null,
    },
    nodes: nodes?.map((node) => nodeKey(rules, node)) ?? null,
    expiresInSeconds,
  };
}

/** @throws Refusal `source.reserved` for a name under which the ledger shows what the engine did. */
export function demandOwnName(source: string): void {
  if (isReservedSource(source)) throw new Refusal('source.reserved', { source });
}

export async function resolveMovements(
  caller: Caller,
  request: MovementsRequest,
  rules: SellingRules,
  book: CodeBook,
): Promise<MovementsCommand> {
  const { actor, person, trace } = caller;
  const { id, source, occurredAt, movements } = request;
  demandOwnName(source);
  const nodes = movements.flatMap((one) => (one.type === 'transfer' ? [one.node, one.toNode] : [one.node]));
  demandWithinLimits(caller, { kind: 'node_work', nodes });
  const keys = await skuKeys(
    book,
    movements.map(({ sku }) => sku),
  );
  const told = movements.map((movement) => {
    const toNode = movement.type === 'transfer' ? movement.toNode : null;
    const { type, sku, node, quantity, reason, sourceEventId } = movement;
    return [type, sku, node, quantity, toNode, reason ?? null, sourceEventId ?? null] as const;
  });
  return {
    kind: 'movements',
    actor,
    person,
    trace,
    id,
    bodyHash: bodyHash(['movements', source, occurredAt ?? null, told]),
    skus: [...new Set(keys)],
    source,
    occurredAt: occurredAt === undefined ? null : timeOf(occurredAt),
    movements: told.map(([type, , node, quantity, toNode, reason, sourceEventId], index) => ({
      type,
      sku: keys[index] ?? 0,
      node: nodeKey(rules, node),
      toNode: toNode === null ? null : nodeKey(rules, toNode),
      quantity,
      reason,
      sourceEventId,
    })),
  };
}

type Parts = NonNullable<ReleaseRequest['lines']>;

export async function resolveVerb(
  { owner, id: reservationId }: { readonly owner: string; readonly id: string },
  request: VerbRequest,
  rules: SellingRules,
  book: CodeBook,
): Promise<{ readonly verb: Verb; readonly bodyHash: Buffer }> {
  const hashed = (...parts: readonly unknown[]): Buffer => bodyHash([request.verb, owner, reservationId, ...parts]);
  switch (request.verb) {
    case 'extend': {
      const { expiresInSeconds } = request.body;
      return { verb: { name: 'extend', expiresInSeconds }, bodyHash: hashed(expiresInSeconds) };
    }
    case 'confirm': {
      const { reacquire = false } = request.body;
      return { verb: { name: 'confirm', reacquire }, bodyHash: hashed(reacquire) };
    }
    case 're-back': {
      const { expectedVersion, moves, pin = null } = request.body;
      const keys = await skuKeys(
        book,
        moves.map(({ sku }) => sku),
      );
      const told = moves.map(({ sku, from, to, quantity, unpin = false }) => [sku, from, to, quantity, unpin] as const);
      const resolved = told.map(([, from, to, quantity, unpin], index) => ({
        sku: keys[index] ?? 0,
        from: nodeKey(rules, from),
        to: nodeKey(rules, to),
        quantity,
        unpin,
      }));
      const pinned = pin && [pin.fulfilmentId, pin.orderVersion];
      return {
        verb: { name: 're-back', expectedVersion, moves: resolved, pin },
        bodyHash: hashed(expectedVersion, told, pinned),
      };
    }
    case 'fulfil':
    case 'release':
    case 'cancel': {
      const asked = request.body.lines ?? null;
      const told = asked?.map(({ sku, node, quantity }) => [sku, node, quantity]) ?? null;
      const parts = asked && (await resolveParts(asked, rules, book));
      if (request.verb !== 'fulfil') return { verb: { name: request.verb, parts }, bodyHash: hashed(told) };
      const { occurredAt } = request.body;
      // Left out, it isn't hashed: a request made before it existed still finds its effect.
      return {
        verb: { name: 'fulfil', parts, occurredAt: occurredAt === undefined ? null : timeOf(occurredAt) },
        bodyHash: occurredAt === undefined ? hashed(told) : hashed(told, occurredAt),
      };
    }
  }
}

async function resolveParts(parts: Parts, rules: SellingRules, book: CodeBook) {
  const keys = await skuKeys(
    book,
    parts.map(({ sku }) => sku),
  );
  return parts.map(({ node, quantity }, index) => ({ sku: keys[index] ?? 0, node: nodeKey(rules, node), quantity }));
}
