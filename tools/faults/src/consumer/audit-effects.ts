/** Compares what the system wrote with what the consumer made of it: each fact once, and every chain whole. */
import { GapTracker } from '@onepool/platform-messaging';
import type pg from 'pg';

export interface EffectAudit {
  /** Rows that the consumer wrote. */
  readonly effects: number;
  /** Facts of the outbox without an effect. */
  readonly missing: number;
  /** Effects beyond the first of a fact. */
  readonly doubled: number;
  /** Effects of something that is not in the outbox: the stream told what the book does not know. */
  readonly foreign: number;
  /** Links that the chains of SKU versions lack, counted from version 0. */
  readonly gaps: number;
}

interface Effect {
  readonly event_id: string;
  readonly key: string;
  readonly from_version: number | null;
  readonly to_version: number | null;
}

export async function auditEffects(book: pg.Pool, consumer: pg.Pool): Promise<EffectAudit> {
  // The effects are read first: what is added meanwhile may look missing, never foreign.
  const { rows: effects } = await consumer.query<Effect>(
    'SELECT event_id, key, from_version, to_version FROM faults.effect ORDER BY key, from_version',
  );
  const { rows: facts } = await book.query<{ event_id: string }>('SELECT event_id FROM availability.outbox');
  const done = new Set(effects.map(({ event_id }) => event_id));
  const written = new Set(facts.map(({ event_id }) => event_id));
  return {
    effects: effects.length,
    missing: [...written].filter((id) => !done.has(id)).length,
    doubled: effects.length - done.size,
    foreign: [...done].filter((id) => !written.has(id)).length,
    gaps: countGaps(effects),
  };
}

function countGaps(effects: readonly Effect[]): number {
  const tracker = new GapTracker(Infinity);
  const keys = new Set<string>();
  for (const { key, from_version, to_version } of effects) {
    if (from_version === null || to_version === null) continue;
    // Every chain begins at 0; told first, a missing beginning is a gap like any other.
    if (!keys.has(key)) tracker.observe({ key, fromVersion: 0, toVersion: 0 });
    keys.add(key);
    tracker.observe({ key, fromVersion: Number(from_version), toVersion: Number(to_version) });
  }
  return [...keys].reduce((sum, key) => sum + tracker.missing(key).length, 0);
}
