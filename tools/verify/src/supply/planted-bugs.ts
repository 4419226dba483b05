/**
 * Faults that somebody could make in the rules of supply, each a few words of shipped code in place of others. The rules are pure and know
 * nothing of tests, so that a bug is planted in a copy of the sources and not behind a switch.
 */
export interface PlantedBug {
  /** What is wrong with it. */
  readonly name: string;
  readonly file: string;
  /** Occurs once in the file. */
  readonly right: string;
  readonly wrong: string;
  /** Of what histories do not play: the specs that look for it. */
  readonly specs?: string;
}

const DOMAIN = 'libs/stock/domain/src';
const ENGINE = 'libs/stock/data-access/src';

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'a swap needs units for each of its moves',
    file: `${DOMAIN}/settlement.ts`,
    right: 'if (row.reserved + row.committed > 0 && row',
    wrong: 'if (row.taken.length > 0 && (row.given = 0) === 0 && row',
  },
  {
    name: 'a node’s refusal puts units on sale that are not there',
    file: `${DOMAIN}/decide-reject.ts`,
    right: 'quantity: { leave: missing, sweep: null }',
    wrong: 'quantity: { leave: giveBack, sweep: null }',
  },
  {
    name: 'a node that has nothing leaves the promises of others as they were',
    file: `${DOMAIN}/decide-reject.ts`,
    right: 'all: { leave: missing, sweep: (row) => sell(row, damageable(row)) }',
    wrong: 'all: { leave: missing, sweep: null }',
  },
  {
    name: 'a node that refuses units touches all others for that',
    file: `${DOMAIN}/decide-reject.ts`,
    right: 'quantity: { leave: missing, sweep: null }',
    wrong: 'quantity: { leave: missing, sweep: (row) => sell(row, damageable(row)) }',
  },
  {
    name: 'what several tell of one hand-over is added up',
    file: `${DOMAIN}/told.ts`,
    right: 'Math.max(0, total - largestTotal(told))',
    wrong: 'quantity',
  },
  {
    name: 'a clock that is ahead swallows what happens until then',
    file: `${DOMAIN}/event-time.ts`,
    right: 'Math.min(told - clockAheadMs(transmission), transmission.arrivedAt)',
    wrong: 'told - clockAheadMs(transmission)',
  },
  {
    name: 'what is told counts as happening when it arrives',
    file: `${DOMAIN}/event-time.ts`,
    right: 'Math.min(told - clockAheadMs(transmission), transmission.arrivedAt)',
    wrong: 'Math.max(told, transmission.arrivedAt)',
  },
  {
    name: 'late refusals and returns change the number of units',
    file: `${ENGINE}/repository/watermarks.ts`,
    right: `['fulfil', 'unfulfil', 'reject']`,
    wrong: `['fulfil']`,
  },
  {
    name: 'late events change the number of units',
    file: `${DOMAIN}/feed.ts`,
    right: 'watermark !== undefined && occurredAt <= watermark.capturedAt',
    wrong: 'watermark === undefined && occurredAt < 0',
  },
  {
    name: 'a scrap that a count has seen changes the number of units',
    file: `${DOMAIN}/decide-movements.ts`,
    right: 'const isLate = noteTotal(counts, node, -units);',
    wrong: 'const isLate = noteTotal(counts, node, -units) && state === null;',
  },
  {
    name: 'damage that a count of damaged units has seen is damage once more',
    file: `${DOMAIN}/counted-states.ts`,
    right: `counted.has(told) ? 'available' : told`,
    wrong: `counted.has(told) ? told : told`,
  },
  {
    name: 'what was damaged on its way arrives for sale',
    file: `${DOMAIN}/decide-receive.ts`,
    right: `put('damaged', arrived.damaged)`,
    wrong: `put('available', arrived.damaged)`,
  },
  {
    name: 'a slice gives units out and leaves them for the next one',
    file: `${DOMAIN}/arithmetic.ts`,
    right: `change(row, [{ from: 'unapplied', to: 'available', quantity: -quantity }])`,
    wrong: `change(row, [{ from: 'external', to: 'available', quantity: -quantity }])`,
  },
  {
    name: 'a count of availability forgets what its source has deducted',
    file: `${ENGINE}/feeds/apply/reset-statement.ts`,
    right: '`+ coalesce(o.units, 0) + coalesce(p.units, 0)',
    wrong: '`+ coalesce(p.units, 0)',
  },
  {
    name: 'a count of availability adds what was acknowledged after it',
    file: `${ENGINE}/feeds/apply/reset-statement.ts`,
    right: '`+ coalesce(o.units, 0) + coalesce(p.units, 0)',
    wrong: '`+ coalesce(o.units, 0)',
    specs: 'feeds/apply/reset-statement',
  },
  {
    name: 'a fence does not note what it has paid for',
    file: `${DOMAIN}/charge-fences.ts`,
    right: '  draft.useFence(sku, node, charged.fence, charged.units);\n',
    wrong: '',
  },
  {
    name: 'a stop of a SKU does not bind',
    file: `${DOMAIN}/atp.ts`,
    right: 'limits !== undefined && isStopped(limits.stops, channel, node, now)',
    wrong: 'limits !== undefined && channel < 0',
  },
  {
    name: 'an undo that comes first is forgotten',
    file: `${ENGINE}/decision/decide-batch.ts`,
    right: `if (effect.isTombstone === true) return reject({ code: 'reservation.tombstoned' });`,
    wrong: 'if (effect.isTombstone === true) return null;',
  },
  {
    name: 'anybody may act on what an order controls',
    file: `${ENGINE}/decision/carry-out-verb.ts`,
    right: 'attachedToOther(stored.reservation, command.actor) ?? hasReservation(command, state)',
    wrong: 'hasReservation(command, state)',
  },
  {
    name: 'an amendment takes effect that was decided on an older version',
    file: `${DOMAIN}/decide-amend.ts`,
    right: 'if (reservation.version !== expectedVersion)',
    wrong: 'if (reservation.version < expectedVersion)',
    specs: 'libs/stock/domain/src/decide-amend',
  },
  {
    name: 'units that arrive are offered to shoppers before those who wait',
    file: `${DOMAIN}/free-units.ts`,
    right: 'future.some((row) => promised(row) > 0)',
    wrong: 'future.some((row) => promised(row) < 0)',
    specs: 'engine-specs/waiting',
  },
];
