/** How a batch writes what it was told: of hand-overs, by whom and of how many units, and the events of sources that take effect once. */
import { readToldKey } from '@onepool/stock-domain';
import type { Writes } from '../decision/batch-writes.ts';
import { HAND_OVER } from '../repository/told.ts';
import { NOW, part } from './part.ts';

interface ToldEvents {
  readonly writes: Pick<Writes, 'told' | 'takenEvents'>;
}

const toldRows = ({ writes }: ToldEvents) =>
  [...writes.told].flatMap(([reservationKey, book]) =>
    [...book].map(([key, told]) => ({ reservationKey, ...readToldKey(key), told })),
  );

export const toldEffects = part({
  rows: toldRows,
  columns: {
    reservation: ['bigint', ({ reservationKey }) => reservationKey],
    subject: ['text', ({ fulfilment }) => fulfilment],
    sku: ['int', ({ sku }) => sku],
    effect: ['bigint', ({ told }) => told.effect],
    plain: ['bigint', ({ told }) => told.plain],
    undone: ['bigint', ({ told }) => told.undone],
  },
  writes: (rows, guard) => ({
    told_effects: `
    INSERT INTO told_effect (what, reservation_key, subject, sku_key, effect, plain, undone)
    SELECT ${HAND_OVER}, x.reservation, x.subject, x.sku, x.effect, x.plain, x.undone FROM ${rows} WHERE ${guard}
    ON CONFLICT (what, reservation_key, subject, sku_key) DO UPDATE SET
      effect = excluded.effect, plain = excluded.plain, undone = excluded.undone`,
  }),
});

export const toldTotals = part({
  rows: (batch: ToldEvents) =>
    toldRows(batch).flatMap(({ told, ...row }) =>
      [...told.totals].map(([source, total]) => ({ ...row, source: Number(source), total })),
    ),
  columns: {
    reservation: ['bigint', ({ reservationKey }) => reservationKey],
    subject: ['text', ({ fulfilment }) => fulfilment],
    sku: ['int', ({ sku }) => sku],
    source: ['int', ({ source }) => source],
    total: ['bigint', ({ total }) => total],
  },
  writes: (rows, guard) => ({
    told_totals: `
    INSERT INTO told (what, reservation_key, subject, sku_key, source_key, total)
    SELECT ${HAND_OVER}, x.reservation, x.subject, x.sku, x.source, x.total FROM ${rows} WHERE ${guard}
    ON CONFLICT (what, reservation_key, subject, sku_key, source_key) DO UPDATE SET total = excluded.total`,
  }),
});

/** One that another replica has taken meanwhile fails as keys of commands do, and is then found to be taken. */
export const takenEvents = part({
  rows: ({ writes }: ToldEvents) => writes.takenEvents,
  columns: {
    source: ['int', ({ source }) => source],
    id: ['text', ({ id }) => id],
    actor: ['text', ({ command }) => command.actor],
    command: ['text', ({ command }) => command.id],
  },
  writes: (rows, guard) => ({
    taken_events: `
    INSERT INTO source_event (source_key, event_id, actor, command_id, recorded_at)
    SELECT x.source, x.id, x.actor, x.command, ${NOW} FROM ${rows} WHERE ${guard} ORDER BY x.source, x.id`,
  }),
});
