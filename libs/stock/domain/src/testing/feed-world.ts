/**
 * A pool that takes counts, events and promises through the domain's functions, with the ledger and the stage entries that the
 * rules of time are read from. It does in memory what the engine does in a database. Every reservation is one SKU at one node.
 */
import { decideConfirm, decideLeave } from '../decide-verb.ts';
import { decideHold } from '../decide-hold.ts';
import { type CountOfState, countState, inSettlingOrder } from '../counted-states.ts';
import { type LateUnits, type MovementType, type StockMovement, decideMovements } from '../decide-movements.ts';
import { type Watermark, applyDifference, countedAsShipped, resetDifference, rowKey } from '../feed.ts';
import type { Posting } from '../posting.ts';
import { type Backing, type Reservation, STAGES, type Stage } from '../reservation.ts';
import { type SupplyRow, stockAt } from '../supply-row.ts';
import { SupplyDraft, type Supplies, type SupplyEffect, rowAt } from '../supply.ts';
import { WEB, backingsOf, openRules, reservation, suppliesOf, supplyOf } from './arbitraries.ts';

interface Entry extends Posting {
  readonly occurredAt: number;
}

/** By how many the open units of a row that are past a stage became more or fewer. */
interface StageEntry {
  readonly node: number;
  readonly stage: Stage;
  readonly units: number;
  readonly occurredAt: number;
}

export interface Count {
  readonly node: number;
  readonly source: string;
  /** Of a count of availability: from which stage on its source leaves promised units out. Null of a physical count. */
  readonly deductsAt: Stage | null;
  readonly capturedAt: number;
  readonly counted: number;
}

const SKU = 1;
const RULES = openRules();

export class FeedWorld {
  #supplies: Supplies = suppliesOf(supplyOf(SKU, []));
  readonly #ledger: Entry[] = [];
  readonly #stageEntries: StageEntry[] = [];
  readonly #watermarks = new Map<string, Watermark>();
  readonly #reservations = new Map<number, Reservation>();
  readonly #seen = new Set<string>();

  row(node: number): SupplyRow {
    return rowAt(this.#supplies.get(SKU) ?? supplyOf(SKU, []), node);
  }

  /** An event takes effect once, however often it is told. */
  event(
    id: string,
    type: MovementType,
    node: number,
    quantity: number,
    occurredAt: number,
    states: Pick<StockMovement, 'from' | 'to'> = {},
  ): readonly LateUnits[] {
    if (this.#seen.has(id)) return [];
    this.#seen.add(id);
    const movement = { type, sku: SKU, node, toNode: null, quantity, ...states };
    const decision = decideMovements([movement], this.#supplies, { occurredAt, watermarks: this.#watermarks });
    if (!decision.ok) throw new Error(decision.rejection.code);
    this.#apply(decision.value, occurredAt);
    return decision.value.late;
  }

  /** Holds and confirms; answers whether the units were granted. */
  promise(key: number, node: number, quantity: number, now: number): boolean {
    const demand = { lines: [{ sku: SKU, quantity, nodes: [node] }], allowPartial: false, destination: null };
    const held = decideHold(demand, this.#supplies, RULES, { channel: WEB, now });
    if (!held.ok) return false;
    this.#apply(held.value.effect, now);
    const backings = backingsOf({ sku: SKU, node, held: quantity, fulfilment: `f${key}` });
    const open = reservation({ key, backings, expiresAt: now + 1 });
    const confirmed = decideConfirm(open, this.#supplies, RULES, { now, reacquire: false });
    if (!confirmed.ok) throw new Error(confirmed.rejection.code);
    this.#apply(confirmed.value.effect, now);
    this.#change(confirmed.value.reservation, now);
    return true;
  }

  /** The node has come that far with so many more of the units. */
  acknowledge(key: number, stage: Stage, quantity: number, now: number): void {
    const known = this.#known(key);
    const backings = known.backings.map((backing) => pastStage(backing, stage, backing[stage] + quantity));
    this.#change({ ...known, backings }, now);
  }

  end(key: number, verb: 'fulfil' | 'cancel', quantity: number, occurredAt: number): void {
    const ended = decideLeave(verb, this.#known(key), this.#supplies, [{ quantity }], (backing, units) =>
      countedAsShipped(backing, units, this.#watermarks.get(rowKey(backing.sku, backing.node)), occurredAt),
    );
    if (!ended.ok) throw new Error(ended.rejection.code);
    this.#apply(ended.value.effect, occurredAt);
    this.#change(ended.value.reservation, occurredAt);
  }

  /** Answers whether the count was taken: one older than the row's newest is not. */
  count({ node, deductsAt, capturedAt, counted }: Count): boolean {
    const known = this.#watermarks.get(rowKey(SKU, node));
    if (known && capturedAt < known.capturedAt) return false;
    const acknowledged = deductsAt === null ? 0 : this.#acknowledged(node, deductsAt, capturedAt);
    const sidelined = this.#since(node, 'damaged', capturedAt) + this.#since(node, 'quality_control', capturedAt);
    const since = { physicalDelta: this.#physicalDelta(node, capturedAt), acknowledged, sidelined };
    const measure = deductsAt === null ? 'physical' : 'availability';
    const difference = resetDifference(this.row(node), counted, measure, since);
    this.#watermarks.set(rowKey(SKU, node), { capturedAt, deductsAt, source: 'erp' });
    if (difference === 0) return true;
    const draft = new SupplyDraft(this.#supplies);
    draft.change(SKU, stockAt(node), (row) => applyDifference(row, difference));
    this.#apply(draft.effect(), capturedAt);
    return true;
  }

  /** Counts states of a row, all captured at once; answers how many units the row did not have, of those that were taken. */
  countStates(node: number, capturedAt: number, counts: readonly Pick<CountOfState, 'state' | 'quantity'>[]): number {
    const isFresh = ({ state }: (typeof counts)[number]): boolean =>
      capturedAt >= (this.#watermarks.get(rowKey(SKU, node, state))?.capturedAt ?? -Infinity);
    const fresh = counts.filter(isFresh).map((one) => ({ ...one, since: this.#since(node, one.state, capturedAt) }));
    let missing = 0;
    for (const count of inSettlingOrder(this.row(node), fresh)) {
      this.#watermarks.set(rowKey(SKU, node, count.state), { capturedAt, deductsAt: null, source: 'wms' });
      const draft = new SupplyDraft(this.#supplies);
      draft.change(SKU, stockAt(node), (row) => {
        const change = countState(row, count);
        missing += change.beyond;
        return change;
      });
      this.#apply(draft.effect(), capturedAt);
    }
    return missing;
  }

  #since(node: number, state: CountOfState['state'], after: number): number {
    const later = this.#ledger.filter((entry) => entry.at.node === node && entry.occurredAt > after);
    const units = (of: 'from' | 'to'): number =>
      later.filter((entry) => entry[of] === state).reduce((sum, { quantity }) => sum + quantity, 0);
    return units('to') - units('from');
  }

  #known(key: number): Reservation {
    const known = this.#reservations.get(key);
    if (!known) throw new Error('no such reservation');
    return known;
  }

  #physicalDelta(node: number, after: number): number {
    const later = this.#ledger.filter((entry) => entry.at.node === node && entry.occurredAt > after);
    const came = later.filter(({ from }) => from === 'external').reduce((sum, { quantity }) => sum + quantity, 0);
    return came - later.filter(({ to }) => to === 'external').reduce((sum, { quantity }) => sum + quantity, 0);
  }

  /** Units that were past the stage by then: those that are past it now, without what has changed since. */
  #acknowledged(node: number, stage: Stage, by: number): number {
    const backings = [...this.#reservations.values()].flatMap((one) => one.backings);
    const now = backings.filter((one) => one.node === node).reduce((sum, one) => sum + one[stage], 0);
    const later = this.#stageEntries.filter((one) => one.node === node && one.stage === stage && one.occurredAt > by);
    return now - later.reduce((sum, { units }) => sum + units, 0);
  }

  #change(after: Reservation, occurredAt: number): void {
    const before = this.#reservations.get(after.key)?.backings ?? [];
    for (const backing of after.backings) {
      for (const stage of STAGES) {
        const units = backing[stage] - (before[backing.no]?.[stage] ?? 0);
        if (units !== 0) this.#stageEntries.push({ node: backing.node, stage, units, occurredAt });
      }
    }
    this.#reservations.set(after.key, after);
  }

  #apply({ supplies, postings }: SupplyEffect, occurredAt: number): void {
    this.#supplies = new Map([...this.#supplies, ...supplies]);
    for (const posting of postings) this.#ledger.push({ ...posting, occurredAt });
  }
}

/** What is past a stage is past those before it. */
function pastStage(backing: Backing, stage: Stage, units: number): Backing {
  const before = STAGES.slice(0, STAGES.indexOf(stage) + 1);
  return { ...backing, ...Object.fromEntries(before.map((one) => [one, Math.max(backing[one], units)])) };
}
