/** How a batch writes tasks of housekeeping: SKUs that are to be tended or drained, and those that have been. */
import type { SkuKey } from '@onepool/stock-domain';
import type { Writes } from '../decision/batch-writes.ts';
import { part } from './part.ts';

interface Tasks {
  readonly writes: Pick<Writes, 'tendTasks' | 'tended' | 'drainTasks' | 'drained'>;
}

/** The order in which all make tasks. */
const bySku = <T>(tasks: readonly (readonly [SkuKey, T])[]): readonly (readonly [SkuKey, T])[] =>
  tasks.toSorted(([a], [b]) => a - b);

/** Where a task stands only its gate may change, so that what is read of it here is so still when it is written. */
export const tendTasks = part({
  rows: ({ writes }: Tasks) => bySku([...writes.tendTasks]),
  columns: {
    sku: ['int', ([sku]) => sku],
    says_below: ['smallint', ([, { below }]) => Number(below !== undefined)],
    below: ['bigint', ([, { below }]) => below],
    says_after: ['smallint', ([, { after }]) => Number(after !== undefined)],
    after_rank: ['bigint', ([, { after }]) => after?.rank],
    after_reservation: ['bigint', ([, { after }]) => after?.reservation],
    offers: ['smallint', ([, { offers }]) => offers],
  },
  writes: (rows, guard) => ({
    tend_tasks: `
    INSERT INTO sku_task (sku_key, due_at, before_key, after_rank, after_reservation, offers)
    SELECT x.sku, clock_timestamp(), CASE WHEN x.says_below = 1 THEN x.below ELSE t.before_key END,
           CASE WHEN x.says_after = 1 THEN x.after_rank ELSE t.after_rank END,
           CASE WHEN x.says_after = 1 THEN x.after_reservation ELSE t.after_reservation END, coalesce(x.offers, t.offers, 0)
      FROM ${rows} LEFT JOIN LATERAL (SELECT * FROM sku_task WHERE sku_key = x.sku OFFSET 0) t ON true WHERE ${guard}
    ON CONFLICT (sku_key) DO UPDATE SET
      due_at = LEAST(sku_task.due_at, excluded.due_at), before_key = excluded.before_key,
      after_rank = excluded.after_rank, after_reservation = excluded.after_reservation, offers = excluded.offers`,
  }),
});

export const tended = part({
  rows: ({ writes }: Tasks) => writes.tended.filter((sku) => !writes.tendTasks.has(sku)),
  columns: { sku: ['int', (sku) => sku] },
  writes: (rows, guard) => ({
    tended: `DELETE FROM sku_task WHERE sku_key = ANY(ARRAY(SELECT x.sku FROM ${rows} WHERE ${guard}))`,
  }),
});

export const drainTasks = part({
  rows: ({ writes }: Tasks) => bySku([...writes.drainTasks]),
  columns: { sku: ['int', ([sku]) => sku], before_key: ['bigint', ([, beforeKey]) => beforeKey] },
  writes: (rows, guard) => ({
    drain_tasks: `
    INSERT INTO drain_task (sku_key, due_at, before_key)
    SELECT x.sku, clock_timestamp(), x.before_key FROM ${rows} WHERE ${guard}
    ON CONFLICT (sku_key) DO UPDATE SET
      due_at = LEAST(drain_task.due_at, excluded.due_at), before_key = excluded.before_key`,
  }),
});

export const drained = part({
  rows: ({ writes }: Tasks) => writes.drained.filter((sku) => !writes.drainTasks.has(sku)),
  columns: { sku: ['int', (sku) => sku] },
  writes: (rows, guard) => ({
    drained: `DELETE FROM drain_task WHERE sku_key = ANY(ARRAY(SELECT x.sku FROM ${rows} WHERE ${guard}))`,
  }),
});
