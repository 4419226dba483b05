/** Turns a request to allocate into commands, one for each group. */
import { ALLOCATED_RESERVATIONS_MAX, ALLOCATION_MOVES_MAX, type AllocateRequest } from '@onepool/contracts';
import { type AllocationMove, type SellingRules, type SkuKey, accept, reject } from '@onepool/stock-domain';
import type { CodeBook } from '../catalogue/code-book.ts';
import type { AllocateCommand } from './command.ts';
import { type Answer, refuse } from './refusal.ts';
import { type Caller, beyond, bodyHash, nodeKeys, skuKeys } from './resolve.ts';

type Group = AllocateRequest['groups'][number];
type Move = Group['reservations'][number]['moves'][number];

/** A reservation as it was found by its owner and id; its SKUs may have become more since. */
export interface FoundReservation {
  readonly key: number;
  readonly skus: readonly SkuKey[];
}

export type FindReservation = (owner: string, id: string) => Promise<FoundReservation | null>;

/** How many reservations and moves there may be in all. */
export function demandSize({ groups }: AllocateRequest): Answer<null> {
  const reservations = groups.flatMap((group) => group.reservations);
  const moves = reservations.reduce((sum, one) => sum + one.moves.length, 0);
  if (reservations.length <= ALLOCATED_RESERVATIONS_MAX && moves <= ALLOCATION_MOVES_MAX) return accept(null);
  return refuse('allocation.too_large', {
    reservations: reservations.length,
    moves,
    limits: { reservations: ALLOCATED_RESERVATIONS_MAX, moves: ALLOCATION_MOVES_MAX },
  });
}

/** The hash of the whole request: whichever of its groups took effect, another body is told apart. */
export const allocationHash = ({ override, groups }: AllocateRequest, actor: string): Buffer =>
  bodyHash([
    'allocate',
    override ?? null,
    groups.map(({ reservations }) =>
      reservations.map(({ id, owner = actor, expectedVersion, moves }) => [
        owner,
        id,
        expectedVersion,
        moves.map(({ line, sku, quantity, from, to }) => [
          line ?? null,
          sku ?? null,
          quantity,
          [from.node, from.fulfilment ?? null],
          [to.node, to.fulfilment ?? null],
        ]),
      ]),
    ),
  ]);

/** What the groups of a request have in common. */
export interface AllocationContext {
  readonly caller: Caller;
  readonly request: AllocateRequest;
  readonly hash: Buffer;
  readonly rules: SellingRules;
  readonly book: CodeBook;
  readonly find: FindReservation;
}

/** `place` is that of the group in the request, from 0. */
export async function resolveGroup(context: AllocationContext, place: number): Promise<Answer<AllocateCommand>> {
  const { caller, request, hash, find } = context;
  const { actor, person, trace, sourceKey } = caller;
  const reservations = request.groups[place]?.reservations ?? [];
  const places = reservations.flatMap(({ moves }) => moves.flatMap(({ from, to }) => [from.node, to.node]));
  const nodes = [...new Set(places)].filter((node) => node !== null);
  const forbidden = beyond(caller, { kind: 'node_work', nodes });
  if (forbidden) return reject(forbidden);
  const parts: AllocateCommand['parts'][number][] = [];
  const skus = new Set<SkuKey>();
  const seen = new Set<number>();
  for (const { id, owner = actor, expectedVersion, moves: asked } of reservations) {
    const found = await find(owner, id);
    if (!found) return refuse('reservation.unknown', { reservation: id, owner });
    if (seen.has(found.key)) return refuse('reservation.duplicate', { reservation: id, owner });
    seen.add(found.key);
    for (const sku of found.skus) skus.add(sku);
    const moves = await resolveMoves(asked, context);
    if (!moves.ok) return moves;
    parts.push({ reservationKey: found.key, expectedVersion, moves: moves.value });
  }
  const { commandId: id, override = null } = request;
  const group = request.groups.length === 1 ? 0 : place + 1;
  const command = {
    kind: 'allocate',
    actor,
    sourceKey,
    person,
    trace,
    id,
    bodyHash: hash,
    group,
    override,
    parts,
  } as const;
  return accept({ ...command, skus: [...skus] });
}

async function resolveMoves(
  asked: readonly Move[],
  { rules, book }: AllocationContext,
): Promise<Answer<readonly AllocationMove[]>> {
  const moves: AllocationMove[] = [];
  for (const { line, sku, quantity, from, to } of asked) {
    const skus = await skuKeys(book, sku === undefined ? [] : [sku]);
    if (!skus.ok) return skus;
    const nodes = nodeKeys(rules, from.node === null ? [to.node] : [to.node, from.node]);
    if (!nodes.ok) return nodes;
    const [toNode = 0, fromNode = null] = nodes.value;
    moves.push({
      from: { line, sku: skus.value[0], node: fromNode, fulfilment: from.fulfilment ?? null, quantity },
      to: { node: toNode, fulfilment: to.fulfilment ?? null },
    });
  }
  return accept(moves);
}
