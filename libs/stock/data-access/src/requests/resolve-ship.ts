/** Legs of transfers, by keys. */
import { RIDERS_MAX, type ShipRequest } from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import { type SellingRules, type SkuKey, accept, placeInTime, reject } from '@onepool/stock-domain';
import type { CodeBook } from '../catalogue/code-book.ts';
import type { SourceKey } from '../sources/source-book.ts';
import type { NamedLine } from '../repository/inbound-lines.ts';
import type { ShipCommand } from './command.ts';
import type { FindReservation } from './resolve-allocate.ts';
import { type Answer, refuse } from './refusal.ts';
import { type Caller, beyond, bodyHash, nodeKeys, reservedName, skuKeys } from './resolve.ts';

type Line = ShipRequest['lines'][number];
type Riders = ShipCommand['lines'][number]['riders'];

export interface ShipContext {
  readonly caller: Caller;
  readonly request: ShipRequest;
  readonly rules: SellingRules;
  readonly book: CodeBook;
  readonly sourceKey: SourceKey;
  readonly find: FindReservation;
  readonly keysOf: (lines: readonly NamedLine[]) => Promise<Answer<readonly number[]>>;
}

export async function resolveShip(context: ShipContext): Promise<Answer<ShipCommand>> {
  const { caller, request, rules, book, sourceKey, keysOf } = context;
  const { id, source = null, occurredAt, reason = 'ship', transfer, from, lines } = request;
  const forbidden =
    (source === null ? null : reservedName(source)) ?? beyond(caller, { kind: 'node_work', nodes: [from] });
  if (forbidden) return reject(forbidden);
  const sound = soundLines(request);
  if (!sound.ok) return sound;
  const skus = await skuKeys(
    book,
    lines.map(({ sku }) => sku),
  );
  if (!skus.ok) return skus;
  const nodes = nodeKeys(rules, [from, ...lines.map(({ to }) => to)]);
  if (!nodes.ok) return nodes;
  const [fromKey = 0, ...toKeys] = nodes.value;
  const named = lines.map(({ line }, index): NamedLine => {
    return { line, sku: skus.value[index] ?? 0, node: toKeys[index] ?? 0, from: fromKey };
  });
  const riders = await ridersOf(context);
  if (!riders.ok) return riders;
  const details = await keysOf(named);
  if (!details.ok) return details;
  const { actor, person, trace } = caller;
  return accept({
    kind: 'ship',
    ...{ id, actor, person, trace, sourceKey, sourceName: source, reason, transfer, from: fromKey },
    bodyHash: bodyHash([
      'ship',
      source,
      occurredAt ?? null,
      reason,
      transfer,
      from,
      lines.map((one) => told(one, actor)),
    ]),
    skus: [...new Set([...skus.value, ...riders.value.skus])],
    occurredAt: occurredAt === undefined ? null : placeInTime(timeOf(occurredAt), caller.transmission),
    lines: lines.map(({ line, quantity, state = null, dueAt }, index) => ({
      detail: details.value[index] ?? 0,
      line,
      sku: skus.value[index] ?? 0,
      to: toKeys[index] ?? 0,
      quantity,
      state,
      dueAt: typeof dueAt === 'string' ? timeOf(dueAt) : dueAt,
      riders: riders.value.ofLines[index] ?? [],
    })),
  });
}

/** What is wrong with lines before anything is looked up. */
function soundLines({ from, lines }: ShipRequest): Answer<null> {
  const seen = new Set<string>();
  for (const { line, to } of lines) {
    if (seen.has(line)) return refuse('line.duplicate', { line });
    seen.add(line);
    if (to === from) return refuse('transfer.same_node', { line, node: to });
  }
  const riders = lines.reduce((sum, line) => sum + (line.riders?.length ?? 0), 0);
  return riders > RIDERS_MAX ? refuse('transfer.too_large', { riders, ridersMax: RIDERS_MAX }) : accept(null);
}

const told = ({ line, sku, to, quantity, state, dueAt, riders = [] }: Line, actor: string): readonly unknown[] => [
  ...[line, sku, to, quantity, state ?? null, dueAt === undefined ? 'as before' : dueAt],
  riders.map(({ owner = actor, reservation, fulfilment, line: of, quantity: units }) => [
    owner,
    reservation,
    fulfilment,
    of ?? null,
    units,
  ]),
];

interface FoundRiders {
  readonly ofLines: readonly Riders[];
  /** Of all that their reservations have. */
  readonly skus: ReadonlySet<SkuKey>;
}

async function ridersOf({ caller, request, find }: ShipContext): Promise<Answer<FoundRiders>> {
  const asked = request.lines.flatMap(({ riders = [] }) => riders);
  const found = await Promise.all(asked.map(({ owner = caller.actor, reservation }) => find(owner, reservation)));
  const skus = new Set<SkuKey>();
  const resolved: Riders[number][] = [];
  for (const [index, { owner = caller.actor, reservation, fulfilment, line, quantity }] of asked.entries()) {
    const one = found[index];
    if (!one) return refuse('reservation.unknown', { reservation, owner });
    for (const sku of one.skus) skus.add(sku);
    resolved.push({
      reservationKey: one.key,
      selected: { fulfilment, quantity, ...(line === undefined ? {} : { line }) },
    });
  }
  let next = 0;
  const ofLines = request.lines.map(({ riders = [] }) => resolved.slice(next, (next += riders.length)));
  return accept({ ofLines, skus });
}
