/**
 * Units arrive at a node: of a receipt that was announced, of one that was not, or of a transfer. What differs from what was
 * expected is answered: more, fewer, lost, damaged.
 *
 * Riders are first. Then the row has what is its own, and those who wait are served; and at last the line is drained, since its
 * promises would be short before it.
 */
import { type TravelState, arrive, exchange, land, receive } from './arithmetic.ts';
import type { VerbEffect } from './decide-verb.ts';
import { type CountedStates, stateInBook } from './counted-states.ts';
import { Conversion, type FreeingTerms, type NodeFreeing, type Waiting } from './free-units.ts';
import { type InboundLine, inTransit, onTheWay, soundInTransit } from './inbound.ts';
import type { NodeKey, SkuKey } from './keys.ts';
import { MovingPromises } from './moving-promises.ts';
import { type Reservation, onStock, open } from './reservation.ts';
import { type Supplies, SupplyDraft, type SupplyEffect, rowAt, rowOf } from './supply.ts';
import { type SupplyRow, emptyRow, stockAt } from './supply-row.ts';
import { type TravelledUnits, receiveLate, travelled } from './travel.ts';

export interface Receipt {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  /** The line that it names, by its detail; null: nobody has announced it. */
  readonly line: number | null;
  /** Units that are there, in all. */
  readonly units: number;
  /** How many of them are damaged; null: as they travelled. */
  readonly damaged: number | null;
  /** Where sound units go: what the policy of the node says. Riders are on their way to a buyer, and are not held up. */
  readonly to: 'available' | 'quality_control';
  /** Whether nothing more comes of the line: what is missing is lost. */
  readonly closes: boolean;
  /** Whether the newest count of the row has seen the units: its net stays, the line is drained all the same, and its riders land. */
  readonly isLate: boolean;
  /** States whose newest count has seen the units: those that it was told of are among what is available in the book. */
  readonly counted: CountedStates;
}

export interface ReceiptEffect {
  /** Of each reservation whose units landed or were served; the book's part of all is in `effect`. */
  readonly effects: readonly VerbEffect[];
  readonly effect: SupplyEffect;
  readonly arrived: readonly TravelledUnits[];
  /** Units beyond what was expected. */
  readonly over: number;
  /** Units that are given up on. */
  readonly lost: number;
  /** Units of riders that have landed. */
  readonly landed: number;
  /** Units to be looked at, for which an inspection opens; the row may have fewer, if it owed some. */
  readonly toInspect: number;
  /** What became of the units that came free. */
  readonly freeing: NodeFreeing;
}

type Arrived = Readonly<Record<TravelState, number>>;

/** Whose promises a receipt may move. */
export interface Recipients {
  /** All whose units ride on the line, in the order in which they land if not all of them are sound. */
  readonly riders: readonly Reservation[];
  readonly waiting: Waiting;
}

/** Never refused. */
export function decideReceive(
  receipt: Receipt,
  { riders, waiting }: Recipients,
  supplies: Supplies,
  terms: FreeingTerms,
): ReceiptEffect {
  const { sku, node, units, closes } = receipt;
  const draft = new SupplyDraft(supplies);
  const all = [...new Map([...riders, ...waiting.candidates].map((one) => [one.key, one])).values()];
  const promises = new MovingPromises(all, draft, terms);
  const line = draft.supply(sku).inbound.find(({ detail }) => detail === receipt.line) ?? null;
  const row = line ? rowOf(draft.supply(sku), onTheWay(line)) : emptyRow({ node, kind: 'incoming', detail: 0 });
  const expected = inTransit(row);
  const arrived = arrivedOf(receipt, row);
  const lost = closes ? Math.max(0, expected - units) : 0;
  const before = rowAt(draft.supply(sku), node).available;
  const landed = line ? landRiders(draft, receipt, { line, sound: arrived.available, promises, riders }) : 0;
  stock(draft, receipt, { ...arrived, available: arrived.available - landed });
  const conversion = new Conversion(draft, sku, promises, { waiting, terms });
  const drained = line ? drain(rowOf(draft.supply(sku), onTheWay(line)), arrived, lost) : null;
  const draining = line && drained ? { at: onTheWay(line), short: drained.row.shortfall } : null;
  const there = rowAt(draft.supply(sku), node).available;
  const inspected = arrived.quality_control + (receipt.to === 'quality_control' ? arrived.available - landed : 0);
  // What a count has seen is for all by now; but of what the line has brought, its promises may still have what nobody took.
  const freed = receipt.isLate ? Math.min(there, draining?.short ?? 0) : Math.max(0, there - before);
  const freeing = conversion.offer({ node, units: freed }, draining);
  if (line) {
    draft.change(sku, onTheWay(line), (there) => drain(there, arrived, lost));
    if (closes) draft.setLine(sku, { ...line, isClosed: true });
  }
  return {
    effects: promises.effects(),
    effect: draft.effect(),
    arrived: travelled(arrived),
    over: Math.max(0, units - expected),
    lost,
    landed,
    toInspect: receipt.counted.has('quality_control') ? 0 : inspected,
    freeing,
  };
}

/** In which states units are now that they are there. Where nobody says it, those that travelled sound came first. */
function arrivedOf({ units, damaged }: Receipt, row: SupplyRow): Arrived {
  const others = units - (damaged ?? 0);
  const sound = Math.min(others, soundInTransit(row));
  const inspected = Math.min(others - sound, row.qualityControl);
  const broken = damaged ?? Math.min(others - sound - inspected, row.damaged);
  return { available: units - inspected - broken, quality_control: inspected, damaged: broken };
}

interface Landing {
  readonly line: InboundLine;
  readonly sound: number;
  readonly promises: MovingPromises;
  readonly riders: readonly Reservation[];
}

/** Units of fulfilments that came along, as many as are sound. */
function landRiders(draft: SupplyDraft, { sku, node, isLate }: Receipt, landing: Landing): number {
  const { line, sound, promises, riders } = landing;
  const landed = { reserved: 0, committed: 0 };
  let left = sound;
  for (const reservation of riders) {
    for (const backing of ridersOn(reservation, sku, line)) {
      const quantity = Math.min(left, open(backing));
      if (quantity === 0) continue;
      const at = onStock(backing.line, sku, node, backing.fulfilment);
      const { held, confirmed } = promises.move(reservation, backing, at, quantity);
      landed.reserved += held;
      landed.committed += confirmed;
      left -= quantity;
    }
  }
  if (left === sound) return 0;
  draft.change(sku, onTheWay(line), (row) =>
    exchange(row, { reserved: -landed.reserved, committed: -landed.committed }),
  );
  draft.change(sku, stockAt(node), (row) => land(row, isLate ? 0 : sound - left, landed));
  return sound - left;
}

const ridersOn = ({ backings }: Reservation, sku: SkuKey, line: InboundLine) =>
  backings.filter(
    ({ kind, sku: of, detail, fulfilment }) =>
      kind === 'incoming' && of === sku && detail === line.detail && fulfilment !== null,
  );

/** The rest of what has come goes to its states. */
function stock(draft: SupplyDraft, { sku, node, to, isLate, counted }: Receipt, arrived: Arrived): void {
  const at = stockAt(node);
  const put = (state: TravelState, units: number): void => {
    const into = stateInBook(state, counted);
    draft.change(sku, at, (row) => (isLate ? receiveLate(row, into, units) : receive(row, into, units)));
  };
  put(to, arrived.available);
  put('quality_control', arrived.quality_control);
  put('damaged', arrived.damaged);
}

/** What has arrived, or is lost, is on its way no longer. */
function drain(before: SupplyRow, arrived: Arrived, lost: number): ReturnType<typeof arrive> {
  let row = before;
  const transfers: ReturnType<typeof arrive>['transfers'][number][] = [];
  const take = (units: number, state: TravelState): void => {
    const change = arrive(row, Math.min(units, inTransit(row)), state);
    row = change.row;
    transfers.push(...change.transfers);
  };
  take(arrived.damaged, 'damaged');
  take(arrived.quality_control, 'quality_control');
  take(arrived.available + lost, 'available');
  return { row, transfers };
}
