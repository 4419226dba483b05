/** What a database says of a history, and what the model says: as lines of text, to be compared. */
import type { Concern, Told } from '@onepool/stock-domain/testing';
import { past } from '@onepool/stock-domain/testing';
import type pg from 'pg';
import { CLIENT } from '../../testing/pool-fixture.ts';
import { fulfilmentId } from './requests.ts';
import { SKUS_EACH, channelCode, nodeCode, skuCode } from './stage.ts';
import { inboundId, lineId } from './supply-requests.ts';

const TALLIES = ['held', 'confirmed', 'fulfilled', 'released', 'expired', 'cancelled', 'broken'] as const;
const STATES = [
  ...(['available', 'committed', 'reserved', 'safetyStock', 'damaged', 'qualityControl', 'shortfall'] as const),
  'overdrawn' as const,
];
type Units = Readonly<Record<(typeof STATES)[number], number>>;

/** Of rows and backings: what they wait for, if their units are not there yet. */
const aheadOf = (of: string): string => `CASE ${of}.kind WHEN 1 THEN l.line WHEN 2 THEN 'allowance' END`;
const ROWS = `
  SELECT k.code AS sku, n.code AS node, ${aheadOf('s')} AS ahead,
         ARRAY[available, committed, reserved, safety_stock, damaged, quality_control, shortfall, overdrawn, unapplied]::int[] AS units
    FROM supply s JOIN sku_code k USING (sku_key) LEFT JOIN rules_node n USING (node_key) LEFT JOIN inbound_line l USING (detail_key)
   WHERE k.code = ANY($1)`;
const LINES = `
  SELECT l.line, i.id AS inbound, k.code AS sku, n.code AS node, l.expected::int, l.received::int, l.lost::int,
         CASE WHEN l.closed_at IS NOT NULL THEN 'closed' WHEN l.due_at < clock_timestamp() THEN 'late' ELSE 'open' END AS state
    FROM inbound i JOIN inbound_line l USING (inbound_key) JOIN sku_code k USING (sku_key) JOIN rules_node n USING (node_key)
   WHERE i.actor = $1 AND i.id = ANY($2) AND l.expected + l.received > 0`;
const RESERVATIONS = `
  SELECT r.id, r.version, c.code AS channel, r.controller_order AS order_id,
         json_agg(json_build_array(b.line, k.code, n.code, ${aheadOf('b')}, b.fulfilment, ${TALLIES.map((tally) => `b.${tally}`).join(', ')},
                                   coalesce(b.accepted, 0), coalesce(b.picked, 0), coalesce(b.shipped, 0)) ORDER BY b.backing_no) AS backings
    FROM reservation r JOIN rules_channel c USING (channel_key) JOIN backing b USING (reservation_key)
    JOIN sku_code k USING (sku_key) LEFT JOIN rules_node n USING (node_key) LEFT JOIN inbound_line l ON l.detail_key = b.detail_key
   WHERE r.owner = $1 AND r.id = ANY($2) GROUP BY r.reservation_key, c.code`;
const INSPECTIONS = `
  SELECT (row_number() OVER (ORDER BY inspection_key))::int AS no, k.code AS sku, n.code AS node,
         ARRAY[open, approved, rejected, missing]::int[] AS units
    FROM inspection JOIN sku_code k USING (sku_key) JOIN rules_node n USING (node_key)
   WHERE k.code = ANY($1)`;
const CONCERNS = `
  SELECT e.code, k.code AS sku, n.code AS node, l.line, e.quantity::int
    FROM stock_exception e JOIN sku_code k USING (sku_key) JOIN rules_node n ON n.node_key = e.node_key
    LEFT JOIN inbound_line l ON e.subject = 'inbound/' || l.detail_key
   WHERE k.code = $1 AND e.closed_at IS NULL AND e.code = ANY($2)`;

const TASKS = 'SELECT FROM sku_task JOIN sku_code USING (sku_key) WHERE code = $1';

export type Book = readonly string[];

interface RowRecord {
  readonly sku: string;
  readonly node: string | null;
  readonly ahead: string | null;
  readonly units: readonly number[];
}
interface ReservationRecord {
  readonly id: string;
  readonly version: number;
  readonly channel: string;
  readonly order_id: string | null;
  readonly backings: readonly (readonly unknown[])[];
}

/** A statement that is planned once for all histories. */
async function rowsOf<T extends object>(looks: pg.Pool, name: string, text: string, values: unknown[]): Promise<T[]> {
  return (await looks.query<T>({ name, text, values })).rows;
}

export async function bookInDatabase(looks: pg.Pool, history: number, ids: readonly string[]): Promise<Book> {
  const skus = SKUS_EACH.map((sku) => skuCode(history, sku));
  const inbound = [inboundId(history, 'receipt'), inboundId(history, 'transfer')];
  const [rows, lines, reservations, inspections] = await Promise.all([
    rowsOf<RowRecord>(looks, 'rows', ROWS, [skus]),
    rowsOf<LineWords>(looks, 'lines', LINES, [CLIENT, inbound]),
    rowsOf<ReservationRecord>(looks, 'reservations', RESERVATIONS, [CLIENT, ids]),
    rowsOf<InspectionWords>(looks, 'inspections', INSPECTIONS, [skus]),
  ]);
  return [
    ...rows.filter(({ units }) => units.some((count) => count > 0)).map(rowWords),
    ...lines.map(lineWords),
    ...reservations.map(({ id, version, channel, order_id, backings }) =>
      reservationWords(id, version, channel, order_id, backings),
    ),
    ...inspections.map(inspectionWords),
  ].sort();
}

export function bookOfModel(told: Told, history: number, idOf: (number: number) => string): Book {
  const placeOf = ({ sku, node }: { readonly sku: number; readonly node: number }) => ({
    sku: skuCode(history, sku),
    node: node === 0 ? null : nodeCode(node),
  });
  const { rows, lines, allowances, reservations, inspections } = told;
  const unitsOf = (row: Units): readonly number[] => [...STATES.map((state) => row[state]), 0];
  const all: readonly RowRecord[] = [
    ...rows.map((row) => ({ ...placeOf(row), ahead: null, units: unitsOf(row) })),
    ...lines.map((line) => ({ ...placeOf(line), ahead: lineId(line.detail), units: unitsOf(line.row) })),
    ...allowances.map((row) => ({ ...placeOf(row), ahead: 'allowance', units: unitsOf(row) })),
  ];
  return [
    ...all.filter(({ units }) => units.some((count) => count > 0)).map(rowWords),
    ...lines
      .filter(({ expected, received }) => expected + received > 0)
      .map(({ detail, brings, expected, received, lost, isClosed, isOverdue, ...line }) =>
        lineWords({
          ...placeOf(line),
          ...{ line: lineId(detail), inbound: inboundId(history, brings), expected, received, lost },
          state: isClosed ? 'closed' : isOverdue ? 'late' : 'open',
        }),
      ),
    ...reservations.map(({ key, version, channel, order, piles }) => {
      const id = idOf(key);
      const backings = piles.map((pile) => [
        pile.line,
        skuCode(history, pile.sku),
        pile.node === null || pile.node === 0 ? null : nodeCode(pile.node),
        typeof pile.ahead === 'number' ? lineId(pile.ahead) : pile.ahead,
        pile.fulfilment === null ? null : fulfilmentId(id, pile.fulfilment),
        ...TALLIES.map((tally) => pile.units[tally]),
        ...[1, 2, 3].map((stage) => past(pile, stage)),
      ]);
      return reservationWords(id, version, channelCode(channel), order && `${id}.${order}`, backings);
    }),
    ...inspections.map(({ open, approved, rejected, missing, ...one }, place) =>
      inspectionWords({ ...placeOf(one), no: place + 1, units: [open, approved, rejected, missing] }),
    ),
  ].sort();
}

/** What a person must look at of a SKU, by what the engine has done last. */
export const CONCERNS_OF: Readonly<Record<'tend' | 'drain', readonly Concern['code'][]>> = {
  tend: ['promise.short', 'inbound.overdue', 'inbound.short'],
  drain: ['promise.stranded'],
};

/** Null while another look is to come, since other promises have changed than were loaded for this one. */
export async function concernsInDatabase(
  looks: pg.Pool,
  history: number,
  sku: number,
  codes: readonly Concern['code'][],
): Promise<Book | null> {
  const tasks = await rowsOf(looks, 'tasks', TASKS, [skuCode(history, sku)]);
  if (tasks.length > 0) return null;
  const found = await rowsOf<ConcernWords>(looks, 'concerns', CONCERNS, [skuCode(history, sku), codes]);
  return found.map(concernWords).sort();
}

export const concernsOfModel = (
  concerns: readonly Concern[],
  history: number,
  of: number,
  codes: readonly Concern['code'][],
): Book =>
  concerns
    .filter(({ sku, code }) => sku === of && codes.includes(code))
    .map(({ node, line, ...one }) =>
      concernWords({
        ...one,
        sku: skuCode(history, of),
        node: nodeCode(node),
        line: line === null ? null : lineId(line),
      }),
    )
    .sort();

/** An inspection of a history by its place, from 0; one that nobody knows, if that has not opened. */
export async function inspectionOf(looks: pg.Pool, history: number, place: number): Promise<string> {
  const sql = `
    SELECT inspection_key FROM inspection JOIN sku_code USING (sku_key)
     WHERE code = ANY($1) ORDER BY inspection_key OFFSET $2 LIMIT 1`;
  const skus = SKUS_EACH.map((sku) => skuCode(history, sku));
  const rows = await rowsOf<{ inspection_key: string }>(looks, 'inspection', sql, [skus, place]);
  return `ins_${rows[0]?.inspection_key ?? 0}`;
}

const countsOf = (names: readonly string[], units: readonly number[]): string =>
  names
    .map((name, place) => `${name} ${units[place]}`)
    .filter((_, place) => (units[place] ?? 0) > 0)
    .join(', ');

const rowWords = ({ sku, node, ahead, units }: RowRecord): string =>
  `${sku} at ${node} ${ahead === null ? '' : `to come (${ahead})`}: ${countsOf([...STATES, 'unapplied'], units)}`;

interface LineWords {
  readonly line: string;
  readonly inbound: string;
  readonly sku: string;
  readonly node: string | null;
  readonly expected: number;
  readonly received: number;
  readonly lost: number;
  readonly state: string;
}
const lineWords = ({ line, inbound, sku, node, expected, received, lost, state }: LineWords): string =>
  `${inbound} line ${line} ${sku} to ${node}: ${expected} expected, ${received} received, ${lost} lost, ${state}`;

interface InspectionWords {
  readonly no: number;
  readonly sku: string;
  readonly node: string | null;
  readonly units: readonly number[];
}
const inspectionWords = ({ no, sku, node, units }: InspectionWords): string =>
  `inspection ${no} of ${sku} at ${node}: ${countsOf(['open', 'approved', 'rejected', 'missing'], units)}`;

interface ConcernWords {
  readonly code: string;
  readonly sku: string;
  readonly node: string;
  readonly line: string | null;
  readonly quantity: number;
}
const concernWords = ({ code, sku, node, line, quantity }: ConcernWords): string =>
  `${code} of ${sku} at ${node} ${line === null ? '' : `to come (${line})`}: ${quantity}`;

const reservationWords = (
  id: string,
  version: number,
  channel: string,
  order: string | null,
  backings: readonly (readonly unknown[])[],
): string => `${id} version ${version} ${channel} ${order ?? 'of no order'}: ${JSON.stringify(backings)}`;
