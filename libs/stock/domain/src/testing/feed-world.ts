/**
 * A pool that takes counts, events and promises through the domain's functions, with the ledger that the rules of time
 * are read from. It does in memory what the engine does in a database. Every reservation is one SKU at one node.
 */
import { decideConfirm, decideLeave } from '../decide-verb.ts';
import { decideHold } from '../decide-hold.ts';
import { type MovementType, decideMovements } from '../decide-movements.ts';
import { type Measure, type Watermark, applyDifference, isShipmentCounted, resetDifference, rowKey } from '../feed.ts';
import type { Posting } from '../posting.ts';
import { type Reservation, newBacking } from '../reservation.ts';
import type { SupplyRow } from '../supply-row.ts';
import { SupplyDraft, type Supplies, type SupplyEffect, rowAt } from '../supply.ts';
import { WEB, openRules, reservation } from './arbitraries.ts';

interface Entry extends Posting {
  readonly reason: string;
  readonly occurredAt: number;
  readonly acknowledgedAt: number | null;
}

export interface Count {
  readonly node: number;
  readonly source: string;
  readonly measure: Measure;
  readonly capturedAt: number;
  readonly counted: number;
}

const SKU = 1;
const RULES = openRules();

export class FeedWorld {
  #supplies: Supplies = new Map([[SKU, { sku: SKU, rows: [] }]]);
  readonly #ledger: Entry[] = [];
  readonly #watermarks = new Map<string, Watermark>();
  readonly #reservations = new Map<number, Reservation>();
  readonly #acknowledgedAt = new Map<number, number>();
  readonly #seen = new Set<string>();

  row(node: number): SupplyRow {
    return rowAt(this.#supplies.get(SKU) ?? { sku: SKU, rows: [] }, node);
  }

  /** An event takes effect once, however often it is told. */
  event(id: string, type: MovementType, node: number, quantity: number, occurredAt: number): void {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const movement = { type, sku: SKU, node, toNode: null, quantity };
    const decision = decideMovements([movement], this.#supplies, { occurredAt, watermarks: this.#watermarks });
    if (!decision.ok) throw new Error(decision.rejection.code);
    this.#apply(decision.value, type, occurredAt, null);
  }

  /** Holds and confirms; answers whether the units were granted. */
  promise(key: number, node: number, quantity: number, now: number): boolean {
    const demand = { lines: [{ sku: SKU, quantity }], allowPartial: false, destination: null };
    const held = decideHold(demand, this.#supplies, RULES, { channel: WEB, nodes: new Set([node]), now });
    if (!held.ok) return false;
    this.#apply(held.value.effect, 'hold', now, null);
    const open = reservation({ key, backings: [newBacking(SKU, node, { held: quantity })], expiresAt: now + 1 });
    const confirmed = decideConfirm(open, this.#supplies, RULES, { now, reacquire: false });
    if (!confirmed.ok) throw new Error(confirmed.rejection.code);
    this.#apply(confirmed.value.effect, 'confirm', now, null);
    this.#reservations.set(key, confirmed.value.reservation);
    return true;
  }

  /** The node has set the units aside. */
  acknowledge(key: number, now: number): void {
    this.#acknowledgedAt.set(key, now);
  }

  end(key: number, verb: 'fulfil' | 'cancel', occurredAt: number): void {
    const known = this.#reservations.get(key);
    if (!known) throw new Error('no such reservation');
    const acknowledgedAt = this.#acknowledgedAt.get(key) ?? null;
    const ended = decideLeave(verb, known, this.#supplies, null, ({ sku, node }) =>
      isShipmentCounted(this.#watermarks.get(rowKey(sku, node)), occurredAt, acknowledgedAt),
    );
    if (!ended.ok) throw new Error(ended.rejection.code);
    this.#reservations.set(key, ended.value.reservation);
    this.#apply(ended.value.effect, verb, occurredAt, acknowledgedAt);
  }

  /** Answers whether the count was taken: one older than the row's newest is not. */
  count({ node, measure, capturedAt, counted }: Count): boolean {
    const known = this.#watermarks.get(rowKey(SKU, node));
    if (known && capturedAt < known.capturedAt) return false;
    const since = { physicalDelta: this.#physicalDelta(node, capturedAt), acknowledged: this.#known(node, capturedAt) };
    const difference = resetDifference(this.row(node), counted, measure, since);
    this.#watermarks.set(rowKey(SKU, node), { capturedAt, measure, source: 'erp' });
    if (difference === 0) return true;
    const draft = new SupplyDraft(this.#supplies);
    draft.change(SKU, node, (row) => applyDifference(row, difference));
    this.#apply(draft.effect(), 'reset', capturedAt, null);
    return true;
  }

  #physicalDelta(node: number, after: number): number {
    const later = this.#ledger.filter((entry) => entry.node === node && entry.occurredAt > after);
    const came = later.filter(({ from }) => from === 'external').reduce((sum, { quantity }) => sum + quantity, 0);
    return came - later.filter(({ to }) => to === 'external').reduce((sum, { quantity }) => sum + quantity, 0);
  }

  /** Units acknowledged by then: open now, or ended since. */
  #known(node: number, by: number): number {
    let units = 0;
    for (const [key, { backings }] of this.#reservations) {
      if ((this.#acknowledgedAt.get(key) ?? Infinity) > by) continue;
      for (const backing of backings) if (backing.node === node) units += backing.held + backing.confirmed;
    }
    for (const { from, to, reason, occurredAt, acknowledgedAt, quantity, node: at } of this.#ledger) {
      if (at !== node || occurredAt <= by || acknowledgedAt === null || acknowledgedAt > by) continue;
      const isEnd =
        reason === 'fulfil' ? to === 'external' : from === 'committed' && (to === 'available' || to === 'shortfall');
      if (isEnd) units += quantity;
    }
    return units;
  }

  #apply(
    { supplies, postings }: SupplyEffect,
    reason: string,
    occurredAt: number,
    acknowledgedAt: number | null,
  ): void {
    this.#supplies = new Map([...this.#supplies, ...supplies]);
    for (const posting of postings) this.#ledger.push({ ...posting, reason, occurredAt, acknowledgedAt });
  }
}
