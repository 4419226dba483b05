/** How a batch writes reservations: new ones, those of which only units have changed, and those of which more has. */
import type { Reservation } from '@onepool/stock-domain';
import type { NewReservation, Writes } from '../decision/batch-writes.ts';
import { type AmendedLineTuple, tenthsOf } from '../repository/stored-reservations.ts';
import { NOW, type PartOf, part, time } from './part.ts';

interface Reservations {
  readonly writes: Pick<Writes, 'newReservations' | 'changedReservations' | 'amendedReservations'>;
}

/** By the place of the locked row, which nobody else can move: a join by key would be planned by the table's size. */
export const changedReservations = part({
  rows: ({ writes }: Reservations) =>
    [...writes.changedReservations.values()].filter(({ key }) => !writes.amendedReservations.has(key)),
  columns: {
    key: ['bigint', ({ key }) => key],
    version: ['int', ({ version }) => version],
    expires_at: ['float8', ({ expiresAt }) => expiresAt],
  },
  writes: (rows, guard) => ({
    changed: `
    UPDATE reservation r SET version = found.version, expires_at = ${time('found.expires_at')}
      FROM (SELECT t.place, x.version, x.expires_at FROM ${rows} CROSS JOIN LATERAL
              (SELECT ctid AS place FROM reservation WHERE reservation_key = x.key OFFSET 0) t WHERE ${guard}) found
     WHERE r.ctid = found.place`,
  }),
});

const ofNew = {
  key: ['bigint', ({ key }) => key],
  owner: ['text', ({ owner }) => owner],
  id: ['text', ({ id }) => id],
  body_hash: ['bytea', ({ bodyHash }) => bodyHash],
  channel: ['int', ({ channel }) => channel],
  expires_at: ['float8', ({ expiresAt }) => expiresAt],
  lines: ['json', ({ lines }) => JSON.stringify(lines)],
  actor: ['text', ({ actor, owner }) => (actor === owner ? null : actor)],
  person: ['text', ({ person }) => person],
} as const satisfies PartOf<Reservations, NewReservation>['columns'];

/** What most holds do not have. */
const ofFew = {
  customer_reference: ['text', ({ customerReference }) => customerReference],
  tombstone_by: ['text', ({ isTombstone, actor }) => (isTombstone ? actor : null)],
  priority: ['smallint', ({ priority }) => priority || null],
  destination_lat: ['smallint', ({ destination }) => destination && tenthsOf(destination.lat)],
  destination_lng: ['smallint', ({ destination }) => destination && tenthsOf(destination.lng)],
} as const satisfies PartOf<Reservations, NewReservation>['columns'];

const isPlain = ({ customerReference, isTombstone, priority, destination }: NewReservation): boolean =>
  customerReference === null && !isTombstone && priority === 0 && destination === null;

/** All new ones of a batch in one statement, since their keys are taken in order; without the columns that none of them has. */
const insertReservations = (more: readonly string[]) => (rows: string, guard: string) => ({
  created: `
    INSERT INTO reservation (reservation_key, owner, id, body_hash, channel_key, version, created_at, first_expires_at, expires_at, lines, actor, person${more.map((column) => `, ${column}`).join('')})
    SELECT x.key, x.owner, x.id, x.body_hash, x.channel, 1, ${NOW}, ${time('x.expires_at')}, ${time('x.expires_at')}, x.lines, x.actor, x.person${more.map((column) => `, x.${column}`).join('')}
      FROM ${rows} WHERE ${guard} ORDER BY x.owner, x.id`,
});

export const newReservations = part({
  rows: ({ writes }: Reservations) => (writes.newReservations.every(isPlain) ? writes.newReservations : []),
  columns: ofNew,
  writes: insertReservations([]),
});

export const newSpecialReservations = part({
  rows: ({ writes }: Reservations) => (writes.newReservations.every(isPlain) ? [] : writes.newReservations),
  columns: { ...ofNew, ...ofFew },
  writes: insertReservations(Object.keys(ofFew)),
});

const amendedLines = ({ lines }: Reservation): string =>
  JSON.stringify(
    lines.map(({ no, id, sku, added, withdrawn, nodes }): AmendedLineTuple => [no, id, sku, added, withdrawn, nodes]),
  );

export const amendedReservations = part({
  rows: ({ writes }: Reservations) => [...writes.amendedReservations.values()],
  columns: {
    key: ['bigint', ({ reservation }) => reservation.key],
    channel: ['int', ({ reservation }) => reservation.channel],
    channel_before: ['int', ({ channelBefore }) => channelBefore],
    amended: ['json', ({ reservation, isAmended }) => (isAmended ? amendedLines(reservation) : null)],
    controller_actor: ['text', ({ reservation }) => reservation.controller?.actor ?? null],
    controller_order: ['text', ({ reservation }) => reservation.controller?.order ?? null],
    ordered_at: ['float8', ({ reservation }) => reservation.orderedAt],
    priority: ['smallint', ({ reservation }) => reservation.priority || null],
    destination_lat: ['smallint', ({ reservation: { destination } }) => destination && tenthsOf(destination.lat)],
    destination_lng: ['smallint', ({ reservation: { destination } }) => destination && tenthsOf(destination.lng)],
    version: ['int', ({ reservation }) => reservation.version],
    expires_at: ['float8', ({ reservation }) => reservation.expiresAt],
  },
  writes: (rows, guard) => ({
    amended: `
    UPDATE reservation r SET version = found.version, expires_at = ${time('found.expires_at')},
           channel_key = found.channel, amended = found.amended, ordered_at = ${time('found.ordered_at')},
           first_channel_key = coalesce(first_channel_key, CASE WHEN found.channel <> found.channel_before THEN found.channel_before END),
           controller_actor = found.controller_actor, controller_order = found.controller_order, priority = found.priority,
           destination_lat = found.destination_lat, destination_lng = found.destination_lng
      FROM (SELECT t.place, x.* FROM ${rows} CROSS JOIN LATERAL
              (SELECT ctid AS place FROM reservation WHERE reservation_key = x.key OFFSET 0) t WHERE ${guard}) found
     WHERE r.ctid = found.place`,
  }),
});
