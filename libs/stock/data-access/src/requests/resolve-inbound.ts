/** Receipts, as they are announced and as they arrive, by keys. */
import type { PutInbound, ReceiptRequest } from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import { type SellingRules, accept, placeInTime, reject } from '@onepool/stock-domain';
import type { CodeBook } from '../catalogue/code-book.ts';
import type { SourceKey } from '../sources/source-book.ts';
import type { AnnouncedLine, NamedLine } from '../repository/inbound-lines.ts';
import { type Caller, beyond, bodyHash, nodeKeys, reservedName, skuKeys } from './resolve.ts';
import type { ExpectCommand, ReceiveCommand } from './command.ts';
import { type Answer, refuse } from './refusal.ts';

type FindKeys = (lines: readonly NamedLine[]) => Promise<Answer<readonly number[]>>;

export async function resolveExpect(
  caller: Caller,
  { id, lines }: PutInbound & { readonly id: string },
  rules: SellingRules,
  book: CodeBook,
  keysOf: FindKeys,
): Promise<Answer<ExpectCommand>> {
  const forbidden = beyond(caller, { kind: 'node_work', nodes: lines.map(({ node }) => node) });
  if (forbidden) return reject(forbidden);
  const seen = new Set<string>();
  for (const { id: line } of lines) {
    if (seen.has(line)) return refuse('line.duplicate', { line });
    seen.add(line);
  }
  const skus = await skuKeys(
    book,
    lines.map(({ sku }) => sku),
  );
  if (!skus.ok) return skus;
  const nodes = nodeKeys(
    rules,
    lines.map(({ node }) => node),
  );
  if (!nodes.ok) return nodes;
  const named = lines.map(({ id: line }, index) => ({
    line,
    sku: skus.value[index] ?? 0,
    node: nodes.value[index] ?? 0,
    from: null,
  }));
  const details = await keysOf(named);
  if (!details.ok) return details;
  const { actor, person, sourceKey, trace } = caller;
  return accept({
    kind: 'expect',
    id,
    actor,
    person,
    sourceKey,
    trace,
    skus: [...new Set(skus.value)],
    lines: lines.map(({ quantity, dueAt = null, closed = false }, index) => ({
      detail: details.value[index] ?? 0,
      sku: skus.value[index] ?? 0,
      node: nodes.value[index] ?? 0,
      quantity,
      dueAt: dueAt === null ? null : timeOf(dueAt),
      isClosed: closed,
    })),
  });
}

type FindAnnounced = (owner: string, id: string) => Promise<ReadonlyMap<string, AnnouncedLine> | null>;
type Arrived = ReceiveCommand['lines'][number] & Pick<AnnouncedLine, 'riding'>;

export async function resolveReceive(
  caller: Caller,
  request: ReceiptRequest,
  rules: SellingRules,
  book: CodeBook,
  sourceKey: SourceKey,
  find: FindAnnounced,
): Promise<Answer<ReceiveCommand>> {
  const { actor, person, trace } = caller;
  const { id, source, occurredAt, reason = 'receipt', lines } = request;
  const reserved = reservedName(source);
  if (reserved) return reject(reserved);
  const arrived = await arrivedOf(request, caller, rules, book, find);
  if (!arrived.ok) return arrived;
  const forbidden = beyond(caller, {
    kind: 'node_work',
    nodes: arrived.value.flatMap(({ node }) => codeOf(rules, node)),
  });
  if (forbidden) return reject(forbidden);
  const told = lines.map((line) =>
    'line' in line
      ? [line.line, line.quantity, line.damaged ?? null, line.closes ?? false]
      : [line.sku, line.node, line.quantity, line.damaged ?? null],
  );
  return accept({
    kind: 'receive',
    ...{ id, actor, person, trace, sourceKey, sourceName: source, reason },
    bodyHash: bodyHash([
      'receive',
      source,
      occurredAt ?? null,
      reason,
      request.inbound ?? null,
      request.owner ?? null,
      told,
    ]),
    skus: [...new Set(arrived.value.map(({ sku }) => sku))],
    occurredAt: occurredAt === undefined ? null : placeInTime(timeOf(occurredAt), caller.transmission),
    lines: arrived.value.map(({ riding: _, ...line }) => line),
    riding: arrived.value.reduce((sum, { riding }) => sum + riding, 0),
  });
}

const codeOf = (rules: SellingRules, node: number): readonly string[] => {
  const found = rules.nodes.get(node);
  return found ? [found.code] : [];
};

async function arrivedOf(
  { inbound, owner, lines }: ReceiptRequest,
  { actor }: Caller,
  rules: SellingRules,
  book: CodeBook,
  find: FindAnnounced,
): Promise<Answer<readonly Arrived[]>> {
  const announced = inbound === undefined ? null : await find(owner ?? actor, inbound);
  if (inbound !== undefined && announced === null) return refuse('inbound.unknown', { inbound });
  const arrived: Arrived[] = [];
  for (const line of lines) {
    const { quantity, damaged = null } = line;
    if (damaged !== null && damaged > quantity) return refuse('receipt.damaged_beyond', { quantity, damaged });
    if ('line' in line) {
      const known = announced?.get(line.line);
      if (!known) return refuse('inbound.line_unknown', { line: line.line });
      arrived.push({ ...known, quantity, damaged, closes: line.closes ?? false });
      continue;
    }
    const sku = await skuKeys(book, [line.sku]);
    if (!sku.ok) return sku;
    const node = nodeKeys(rules, [line.node]);
    if (!node.ok) return node;
    arrived.push({
      detail: null,
      sku: sku.value[0] ?? 0,
      node: node.value[0] ?? 0,
      quantity,
      damaged,
      closes: false,
      riding: 0,
    });
  }
  return accept(arrived);
}
