/** Announced receipts, by keys. */
import type { PutInbound } from '@onepool/contracts';
import { timeOf } from '@onepool/platform-clock';
import { type SellingRules, accept, reject } from '@onepool/stock-domain';
import type { CodeBook } from '../catalogue/code-book.ts';
import type { NamedLine } from '../repository/inbound-lines.ts';
import { type Caller, beyond, nodeKeys, skuKeys } from './resolve.ts';
import type { ExpectCommand } from './command.ts';
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
