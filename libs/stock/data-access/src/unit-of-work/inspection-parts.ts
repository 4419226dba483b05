/** How a batch writes inspections: those that open, and those that were judged. */
import type { Writes } from '../decision/batch-writes.ts';
import { originCode } from '../repository/inspections.ts';
import { NOW, part, time } from './part.ts';

interface Inspections {
  readonly writes: Pick<Writes, 'newInspections' | 'inspections'>;
}

export const newInspections = part({
  rows: ({ writes }: Inspections) => writes.newInspections,
  columns: {
    sku: ['int', ({ sku }) => sku],
    node: ['int', ({ node }) => node],
    origin: ['smallint', ({ origin }) => originCode(origin)],
    actor: ['text', ({ actor }) => actor],
    command: ['text', ({ commandId }) => commandId],
    line: ['int', ({ line }) => line],
    detail: ['bigint', ({ detail }) => detail],
    reservation: ['bigint', ({ refused }) => refused?.reservationKey ?? null],
    fulfilment: ['text', ({ refused }) => refused?.fulfilment ?? null],
    reason: ['text', ({ reason }) => reason],
    quantity: ['bigint', ({ quantity }) => quantity],
    due_at: ['float8', ({ dueAt }) => dueAt],
  },
  writes: (rows, guard) => ({
    new_inspections: `
    INSERT INTO inspection (sku_key, node_key, origin, actor, command_id, line, detail_key, reservation_key, fulfilment, reason, quantity, open, opened_at, due_at)
    SELECT x.sku, x.node, x.origin, x.actor, x.command, x.line, x.detail, x.reservation, x.fulfilment, x.reason, x.quantity, x.quantity, ${NOW}, ${time('x.due_at')}
      FROM ${rows} WHERE ${guard} ORDER BY x.position`,
  }),
});

export const judgedInspections = part({
  rows: ({ writes }: Inspections) => [...writes.inspections],
  columns: {
    key: ['bigint', ([key]) => key],
    open: ['bigint', ([, { open }]) => open],
    approved: ['bigint', ([, { approved }]) => approved],
    rejected: ['bigint', ([, { rejected }]) => rejected],
    missing: ['bigint', ([, { missing }]) => missing],
  },
  writes: (rows, guard) => ({
    judged_inspections: `
    UPDATE inspection i SET open = x.open, approved = x.approved, rejected = x.rejected, missing = x.missing,
           closed_at = CASE WHEN x.open = 0 THEN ${NOW} END
      FROM ${rows} WHERE i.inspection_key = x.key AND ${guard}`,
  }),
});
