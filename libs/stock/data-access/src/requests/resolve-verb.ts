/** Turns the verbs on a reservation into commands: codes become keys, times are placed, the body is hashed by position. */
import type {
  AcknowledgeRequest,
  AmendRequest,
  AttachRequest,
  CancelRequest,
  ConfirmRequest,
  ExtendRequest,
  FulfilRequest,
  GiveUpRequest,
  RejectRequest,
  ReleaseRequest,
  UnfulfilRequest,
} from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import {
  type AmendedLine,
  type FulfilmentUnits,
  type SelectedUnits,
  type SellingRules,
  type SkuKey,
  type Transmission,
  accept,
  placeInTime,
} from '@onepool/stock-domain';
import type { CodeBook } from '../catalogue/code-book.ts';
import type { Verb } from './command.ts';
import { type Answer, refuse } from './refusal.ts';
import { bodyHash, channelOf, nodeKeys, skuKeys } from './resolve.ts';

export type VerbRequest =
  | { readonly verb: 'attach'; readonly body: AttachRequest }
  | { readonly verb: 'amend'; readonly body: AmendRequest }
  | { readonly verb: 'acknowledge'; readonly body: AcknowledgeRequest }
  | { readonly verb: 'reject'; readonly body: RejectRequest }
  | { readonly verb: 'give-up'; readonly body: GiveUpRequest }
  | { readonly verb: 'unfulfil'; readonly body: UnfulfilRequest }
  | { readonly verb: 'extend'; readonly body: ExtendRequest }
  | { readonly verb: 'confirm'; readonly body: ConfirmRequest }
  | { readonly verb: 'fulfil'; readonly body: FulfilRequest }
  | { readonly verb: 'release'; readonly body: ReleaseRequest }
  | { readonly verb: 'cancel'; readonly body: CancelRequest };

/** What a verb names, and what its codes and times are read with. */
export interface VerbContext {
  readonly actor: string;
  readonly owner: string;
  /** Of the reservation. */
  readonly id: string;
  readonly transmission: Transmission;
  readonly rules: SellingRules;
  readonly book: CodeBook;
}

export interface ResolvedVerb {
  readonly verb: Verb;
  readonly bodyHash: Buffer;
  /** SKUs that the verb brings in, besides those that the reservation has. */
  readonly newSkus: readonly SkuKey[];
}

type Told = readonly unknown[];
interface Read<Value> {
  readonly value: Value;
  /** By position, for the hash. */
  readonly told: Told;
}

export async function resolveVerb(request: VerbRequest, context: VerbContext): Promise<Answer<ResolvedVerb>> {
  const { owner, id, transmission } = context;
  const resolved = (verb: Verb, told: Told, newSkus: readonly SkuKey[] = []): Answer<ResolvedVerb> =>
    accept({ verb, newSkus, bodyHash: bodyHash([request.verb, owner, id, ...told]) });
  // Left out, a time isn't hashed: a request made before it could be told still finds its effect.
  const when = ({ occurredAt }: { readonly occurredAt?: string }): Read<number | null> =>
    occurredAt === undefined
      ? { value: null, told: [] }
      : { value: placeInTime(timeOf(occurredAt), transmission), told: [occurredAt] };
  switch (request.verb) {
    case 'extend': {
      const { expiresInSeconds } = request.body;
      return resolved({ name: 'extend', expiresInSeconds }, [expiresInSeconds]);
    }
    case 'confirm': {
      const { reacquire = false } = request.body;
      return resolved({ name: 'confirm', reacquire }, [reacquire]);
    }
    case 'attach':
      return resolved(...attachOf(request.body, context));
    case 'amend':
      return resolveAmend(request.body, context, resolved);
    case 'acknowledge': {
      const selected = await fulfilmentUnits(request.body, context);
      if (!selected.ok) return selected;
      const at = when(request.body);
      const { stage } = request.body;
      const verb = { name: 'acknowledge', selected: selected.value.value, stage, occurredAt: at.value } as const;
      return resolved(verb, [...selected.value.told, stage, ...at.told]);
    }
    case 'reject': {
      const { effect, moveTo, override = null } = request.body;
      const selected = await fulfilmentUnits(request.body, context);
      if (!selected.ok) return selected;
      const nodes = nodeKeys(context.rules, moveTo ? [moveTo.node] : []);
      if (!nodes.ok) return nodes;
      const [node = null] = nodes.value;
      const fulfilment = moveTo?.fulfilment ?? null;
      const at = when(request.body);
      const target = node === null ? null : { node, fulfilment };
      const units = { selected: selected.value.value, effect, moveTo: target };
      return resolved({ name: 'reject', ...units, override, occurredAt: at.value }, [
        ...selected.value.told,
        effect,
        moveTo ? [moveTo.node, fulfilment] : null,
        override,
        ...at.told,
      ]);
    }
    case 'give-up': {
      const parts = await unitsOf(request.body.lines, context);
      if (!parts.ok) return parts;
      return resolved({ name: 'give-up', parts: parts.value.value }, parts.value.told);
    }
    case 'unfulfil': {
      const parts = await unitsOf(request.body.lines, context);
      if (!parts.ok) return parts;
      const at = when(request.body);
      const told = [parts.value.told, ...at.told];
      return resolved({ name: 'unfulfil', parts: parts.value.value, occurredAt: at.value }, told);
    }
    case 'fulfil': {
      const parts = await partsOf(request.body.lines, context);
      if (!parts.ok) return parts;
      const at = when(request.body);
      const verb = { name: 'fulfil', parts: parts.value.value, occurredAt: at.value } as const;
      return resolved(verb, [...parts.value.told, ...at.told]);
    }
    case 'release':
    case 'cancel': {
      const parts = await partsOf(request.body.lines, context);
      if (!parts.ok) return parts;
      return resolved({ name: request.verb, parts: parts.value.value }, parts.value.told);
    }
  }
}

function attachOf(body: AttachRequest, { actor }: VerbContext): readonly [Verb, Told] {
  const {
    order,
    expectedOrder: expected = null,
    orderedAt,
    priority = null,
    confirm = false,
    reacquire = false,
  } = body;
  const verb = {
    name: 'attach',
    expected,
    controller: order === null ? null : { actor, order },
    orderedAt: orderedAt === undefined ? null : timeOf(orderedAt),
    priority,
    confirm,
    reacquire,
  } as const;
  return [verb, [order, expected, orderedAt ?? null, priority, confirm, reacquire]];
}

async function resolveAmend(
  body: AmendRequest,
  { rules, book }: VerbContext,
  resolved: (verb: Verb, told: Told, newSkus: readonly SkuKey[]) => Answer<ResolvedVerb>,
): Promise<Answer<ResolvedVerb>> {
  const { expectedVersion, lines, channel, destination, priority = null, override = null } = body;
  const skus = await skuKeys(
    book,
    lines.map(({ sku }) => sku),
  );
  if (!skus.ok) return skus;
  const amended: AmendedLine[] = [];
  const seen = new Set<string>();
  for (const [index, { id, quantity, nodes, mayWait = false }] of lines.entries()) {
    const sku = skus.value[index] ?? 0;
    if (seen.has(`${sku}:${id}`)) return refuse('line.duplicate', { line: id });
    seen.add(`${sku}:${id}`);
    const bound = nodes === undefined ? null : nodeKeys(rules, nodes);
    if (bound?.ok === false) return bound;
    amended.push({ id, sku, quantity, nodes: bound && bound.value, mayWait });
  }
  const selling = channel === undefined ? null : channelOf(rules, channel);
  if (selling?.ok === false) return selling;
  const to = { channel: selling ? selling.value.key : null, destination, priority };
  return resolved(
    { name: 'amend', expectedVersion, lines: amended, ...to, override },
    [
      expectedVersion,
      // Left out, it is not hashed: what was asked before it existed still finds its effect.
      lines.map(({ id, sku, quantity, nodes, mayWait = false }) => [
        ...[id, sku, quantity, nodes ?? null],
        ...(mayWait ? [mayWait] : []),
      ]),
      channel ?? null,
      destination === undefined ? 'as it is' : destination && [destination.lat, destination.lng],
      priority,
      override,
    ],
    skus.value,
  );
}

type Part = NonNullable<ReleaseRequest['lines']>[number];

/** Null: all there is. */
async function partsOf(
  parts: readonly Part[] | undefined,
  context: VerbContext,
): Promise<Answer<Read<readonly SelectedUnits[] | null>>> {
  if (parts === undefined) return accept({ value: null, told: [null] });
  const units = await unitsOf(parts, context);
  return units.ok ? accept({ value: units.value.value, told: [units.value.told] }) : units;
}

async function unitsOf(
  parts: readonly Part[],
  { rules, book }: VerbContext,
): Promise<Answer<Read<readonly SelectedUnits[]>>> {
  const named = parts.flatMap(({ sku }) => (sku === undefined ? [] : [sku]));
  const skus = await skuKeys(book, named);
  if (!skus.ok) return skus;
  const keyOf = new Map(named.map((code, index) => [code, skus.value[index]]));
  const selected: SelectedUnits[] = [];
  for (const { line, sku, node, fulfilment, quantity } of parts) {
    const nodes = nodeKeys(rules, node === undefined ? [] : [node]);
    if (!nodes.ok) return nodes;
    const [nodeKey] = nodes.value;
    selected.push({ line, sku: sku === undefined ? undefined : keyOf.get(sku), node: nodeKey, fulfilment, quantity });
  }
  const told = parts.map(({ line, sku, node, fulfilment, quantity }) =>
    [line, sku, node, fulfilment, quantity].map((one) => one ?? null),
  );
  return accept({ value: selected, told });
}

async function fulfilmentUnits(
  { fulfilment, line, sku, quantity }: Pick<AcknowledgeRequest, 'fulfilment' | 'line' | 'sku' | 'quantity'>,
  { book }: VerbContext,
): Promise<Answer<Read<FulfilmentUnits>>> {
  const skus = await skuKeys(book, sku === undefined ? [] : [sku]);
  if (!skus.ok) return skus;
  const value = { fulfilment, line, sku: skus.value[0], quantity };
  return accept({ value, told: [fulfilment, line ?? null, sku ?? null, quantity] });
}
