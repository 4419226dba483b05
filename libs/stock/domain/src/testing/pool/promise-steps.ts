/** Steps of a history in which promises are made, kept and ended. */
import assert from 'node:assert/strict';
import { decideAcknowledge } from '../../decide-acknowledge.ts';
import { decideAttach } from '../../decide-attach.ts';
import { decideGiveUp } from '../../decide-give-up.ts';
import { type GrantedUnits, decideHold } from '../../decide-hold.ts';
import { countedAsShipped, isLate, rowKey } from '../../feed.ts';
import { decideUnfulfil } from '../../decide-unfulfil.ts';
import { decideConfirm, decideExtend, decideLeave } from '../../decide-verb.ts';
import {
  type Backing,
  type Reservation,
  STAGES,
  type Stage,
  emptyBacking,
  onNothing,
  onStock,
} from '../../reservation.ts';
import { lineOf, reservation } from '../arbitraries.ts';
import * as holding from './holding.ts';
import * as leaving from './leaving.ts';
import { type Wish, shown } from './showing.ts';
import { type Named, confirmed, fulfilled, held, heldOrExpired, pinnedConfirmed } from './picks.ts';
import type { Which } from './piles.ts';
import type { PlayedPool } from './played-pool.ts';

export function hold(
  pool: PlayedPool,
  channelKey: number,
  wanted: readonly Wish[],
  allowPartial: boolean,
  isSold: boolean,
  priority = 0,
): number | null {
  const wishes = pool.options.moves ? wanted : wanted.map((one) => ({ ...one, mayWait: false }));
  pool.reap(new Set(wishes.map(({ sku }) => sku)));
  const channel = pool.rules.channels.get(channelKey);
  if (!channel) throw new Error('a channel of the market is missing');
  const key = pool.reservations.size + 1;
  const expiresAt = pool.now + 100;
  const lines = wishes.map((wish, no) => ({ ...wish, id: `line-${no}` }));
  const promised = { key, channel: channelKey, version: 1, expiresAt, order: null, priority, since: pool.now };
  const expected = holding.hold(pool.model, promised, lines, { partial: allowPartial, isSold });
  const told = { kind: 'hold', reservation: key, channel: channelKey, lines, allowPartial, isSold, priority } as const;
  const demand = { lines, allowPartial, destination: null, isSold };
  const decision = decideHold(demand, pool.supplies, pool.rules, { channel, now: pool.now });
  assert.deepEqual(decision.ok ? decision.value.units.map(({ fenced: _, ...one }) => one) : null, expected);
  if (!decision.ok) {
    pool.told(told, 'stock.insufficient');
    return null;
  }
  const { granted, units, effect } = decision.value;
  pool.reservations.set(key, {
    ...reservation({ key, channel: channelKey, createdAt: pool.now, expiresAt, priority }),
    lines: lines.map(({ sku, nodes, quantity }, no) =>
      lineOf({ no, sku, nodes, requested: quantity, granted: granted[no] ?? 0 }),
    ),
    backings: units.map((one, no) => backingOf(no, one)),
  });
  pool.apply(effect);
  pool.serve();
  pool.told(told, 'done');
  return key;
}

/** A buyer wants all that there is and some more, and waits for the rest. */
export function queue(
  pool: PlayedPool,
  channel: number,
  sku: number,
  more: number,
  { nodes, priority, confirms }: Queueing,
): void {
  pool.reap(new Set([sku]));
  const quantity = Math.max(0, shown(pool.model, sku, channel) - pool.model.market.hiddenFrom(channel)) + more;
  const key = hold(pool, channel, [{ sku, quantity, nodes, mayWait: true }], true, false, priority);
  if (key !== null && confirms) confirmAll(pool, pool.reservation(key), false);
}

export interface Queueing {
  readonly nodes: readonly number[] | null;
  readonly priority: number;
  readonly confirms: boolean;
}

function backingOf(no: number, { line, sku, node, units, fenced, ahead }: GrantedUnits): Backing {
  const at = node === null ? onNothing(line, sku) : { ...onStock(line, sku, node), ...ahead };
  return { ...emptyBacking(no, at), held: units, fence: fenced?.fence ?? null, fenced: fenced?.units ?? 0 };
}

export function confirm(pool: PlayedPool, pick: number, reacquire: boolean): void {
  const mine = pool.lock(pick, heldOrExpired);
  if (mine) confirmAll(pool, mine, reacquire);
}

export function confirmAll(pool: PlayedPool, mine: Reservation, reacquire: boolean): void {
  const verdict = holding.confirm(pool.model, pool.promised(mine), reacquire);
  pool.expect(decideConfirm(mine, pool.supplies, pool.rules, { now: pool.now, reacquire }), verdict);
  pool.told({ kind: 'confirm', reservation: mine.key, reacquire }, verdict);
}

const LEAVING = { release: held, cancel: confirmed, fulfil: confirmed } as const;

/** All units, or those that are named. */
export function leave(
  pool: PlayedPool,
  verb: 'release' | 'cancel' | 'fulfil',
  pick: number,
  named: readonly Named[] | null,
): void {
  const count = LEAVING[verb];
  const mine = pool.lock(pick, count);
  if (!mine) return;
  leaveParts(pool, verb, mine, named && named.map((one) => pool.selected(mine, one, count)));
}

export function leaveParts(
  pool: PlayedPool,
  verb: keyof typeof LEAVING,
  mine: Reservation,
  parts: readonly Which[] | null,
): void {
  const named = verb === 'fulfil' && parts ? byFulfilment(mine, parts) : parts;
  const verdict = leaving.leave(pool.model, pool.promised(mine), verb, named);
  const counted = (backing: Backing, quantity: number): number =>
    countedAsShipped(backing, quantity, pool.watermarks.get(rowKey(backing.sku, backing.node)), pool.model.at);
  pool.expect(decideLeave(verb, mine, pool.supplies, named, counted), verdict);
  pool.told({ kind: 'leave', verb, reservation: mine.key, parts }, verdict);
}

/** Of what names no fulfilment, units without one go first, and then one fulfilment's SKU after the other, in the order of lines. */
function byFulfilment({ lines, backings }: Reservation, parts: readonly Which[]): readonly Which[] {
  const left = new Map(backings.map(({ no, confirmed: units }) => [no, units]));
  const inOrder = backings.toSorted((a, b) => a.line - b.line || a.no - b.no);
  return parts.flatMap((part): readonly Which[] => {
    const own = inOrder.filter(
      ({ kind, line, sku, node, fulfilment }) =>
        kind === 'stock' &&
        (part.line ?? lines[line]?.id) === lines[line]?.id &&
        (part.sku ?? sku) === sku &&
        (part.node === undefined || part.node === node) &&
        (part.fulfilment === undefined || part.fulfilment === fulfilment),
    );
    const free = own.filter(({ fulfilment }) => fulfilment === null);
    const working = own.filter(({ fulfilment }) => fulfilment !== null);
    const works = [...new Set(working.map(({ sku, fulfilment }) => `${sku} ${fulfilment}`))];
    const byWork = works.flatMap((work) => working.filter(({ sku, fulfilment }) => `${sku} ${fulfilment}` === work));
    let wanted = part.quantity;
    const taken: Which[] = [];
    for (const { no, sku, fulfilment } of [...free, ...byWork]) {
      const quantity = Math.min(wanted, left.get(no) ?? 0);
      if (quantity === 0) continue;
      left.set(no, (left.get(no) ?? 0) - quantity);
      wanted -= quantity;
      taken.push(fulfilment === null ? { ...part, fulfilment, quantity } : { ...part, fulfilment, sku, quantity });
    }
    return wanted > 0 ? [part] : taken;
  });
}

export function extend(pool: PlayedPool, pick: number): void {
  const mine = pool.lock(pick);
  if (!mine) return;
  const verdict = holding.extend(pool.promised(mine), pool.now + 150);
  pool.expect(decideExtend(mine, pool.now + 150), verdict);
  pool.told({ kind: 'extend', reservation: mine.key }, verdict);
}

export function acknowledge(pool: PlayedPool, pick: number, named: Named, stage: Stage): void {
  const [mine, which] = pool.ofFulfilment(pick, named, pinnedConfirmed);
  if (!mine) return;
  const verdict = leaving.acknowledge(pool.promised(mine), which, STAGES.indexOf(stage) + 1);
  pool.expect(decideAcknowledge(mine, { selected: which, stage }), verdict);
  pool.told({ kind: 'acknowledge', reservation: mine.key, units: which, stage }, verdict);
}

export function giveUp(pool: PlayedPool, pick: number, named: readonly Named[]): void {
  const mine = pool.lock(pick);
  if (!mine) return;
  const parts = named.map((one) => pool.selected(mine, one));
  const verdict = leaving.giveUp(pool.model, pool.promised(mine), parts);
  pool.expect(decideGiveUp(mine, parts, pool.supplies), verdict);
  pool.told({ kind: 'give-up', reservation: mine.key, parts }, verdict);
}

export function unfulfil(pool: PlayedPool, pick: number, named: readonly Named[]): void {
  const mine = pool.lock(pick, fulfilled);
  if (!mine) return;
  const parts = named.map((one) => pool.selected(mine, one, fulfilled));
  const verdict = leaving.unfulfil(pool.model, pool.promised(mine), parts);
  const counted = ({ sku, node }: Backing, quantity: number): number =>
    isLate(pool.watermarks.get(rowKey(sku, node)), pool.model.at) ? quantity : 0;
  pool.expect(decideUnfulfil(mine, parts, pool.supplies, counted), verdict);
  pool.told({ kind: 'unfulfil', reservation: mine.key, parts }, verdict);
}

export function attach(pool: PlayedPool, pick: number, expected: string | null, order: string | null): void {
  const mine = pool.lock(pick);
  if (!mine) return;
  const verdict = leaving.attach(pool.promised(mine), expected, order);
  const controller = order === null ? null : { actor: 'brokering', order };
  const decision = decideAttach(mine, { expected, controller, orderedAt: null, priority: null });
  pool.expect(decision, verdict);
  pool.told({ kind: 'attach', reservation: mine.key, expected, order }, verdict);
}
