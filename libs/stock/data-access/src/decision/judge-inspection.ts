/** What somebody says of units that wait for approval. Sound ones have come free, and the batch offers them to those who wait. */
import type { JudgedInspection } from '@onepool/contracts';
import { type Decision, accept, decideInspection } from '@onepool/stock-domain';
import { inspectionId } from '../repository/inspections.ts';
import type { BatchState } from '../repository/load-batch.ts';
import type { JudgeCommand } from '../requests/command.ts';
import type { Views } from '../requests/views.ts';
import type { ChangingBook } from './changing-book.ts';

export function judgeInspection(
  command: JudgeCommand,
  { inspections, supplies, now }: BatchState,
  book: ChangingBook,
  views: Views,
): Decision<JudgedInspection> {
  const { inspection: key, judgement, sourceKey: source, id: sourceEventId, trace } = command;
  // As an earlier command of the batch has left it.
  const stored = book.writes.inspections.get(key) ?? inspections.get(key);
  if (!stored) throw new Error(`Broken invariant: inspection ${key} was not loaded`);
  const decision = decideInspection(stored, judgement, supplies);
  if (!decision.ok) return decision;
  const { effect, moved, missing, open } = decision.value;
  const { sku, node } = stored;
  book.change(effect, trace);
  book.post(effect.postings, { reason: 'inspect', source, sourceName: null, sourceEventId, occurredAt: now });
  book.writes.inspections.set(key, {
    ...{ sku, node, open },
    approved: stored.approved + moved.approved,
    rejected: stored.rejected + moved.rejected,
    missing: stored.missing + missing,
  });
  const place = { inspection: inspectionId(key), sku: views.sku(sku), node: views.node(node) };
  return accept({ ...place, version: book.versionOf(sku), open, ...moved, missing });
}
