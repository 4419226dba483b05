/** Steps of a history in which promised units move. */
import assert from 'node:assert/strict';
import { decideAllocate } from '../../decide-allocate.ts';
import { decideAmend } from '../../decide-amend.ts';
import { type RejectEffect, decideReject } from '../../decide-reject.ts';
import { type SeenBy, seenBy } from '../../counted-states.ts';
import { type Backing, type Reservation, open } from '../../reservation.ts';
import * as amending from './amending.ts';
import type { Wish } from './showing.ts';
import * as moving from './moving.ts';
import { type Named, type Reworded, pinned, selected, wantedOf } from './picks.ts';
import type { PlayedPool } from './played-pool.ts';
import { confirmAll, hold } from './promise-steps.ts';

/** What a node says of its stock when it refuses units, and where these go. */
export interface Said {
  readonly effect: RejectEffect;
  readonly moveTo: moving.Move['to'] | null;
}

export interface MovePick {
  readonly units: Named;
  /** Instead of `to`: where some other units stand; null for none. */
  readonly like: number | null;
  readonly to: moving.Move['to'];
}

/** Held and confirmed at once, and given to nodes, each to work on its units. */
export function order(pool: PlayedPool, channelKey: number, wishes: readonly Wish[], fulfilment: string | null): void {
  const key = hold(pool, channelKey, wishes, true, false);
  if (key === null) return;
  confirmAll(pool, pool.reservation(key), false);
  const mine = pool.reservation(key);
  if (fulfilment === null) return;
  const there = mine.backings.filter(({ kind }) => kind === 'stock');
  const moves = there.map(({ line, node, confirmed: quantity }): moving.Move => {
    const from = { line: mine.lines[line]?.id, node, fulfilment: null, quantity };
    return { from, to: { node, fulfilment: `${fulfilment}${node}` } };
  });
  moveAll(pool, [{ mine, isStale: false, moves }], false);
}

/** Several reservations, each decided on what it was or on something older. */
export function allocate(
  pool: PlayedPool,
  isByHand: boolean,
  picks: readonly { readonly pick: number; readonly isStale: boolean; readonly moves: readonly MovePick[] }[],
): void {
  const locked = picks.flatMap(({ pick: place, ...asked }) => {
    const key = pool.pick(place);
    return key === undefined ? [] : [{ key, ...asked }];
  });
  pool.lockAll(locked.map(({ key }) => key));
  const different = locked.filter(({ key }, at) => locked.findIndex((one) => one.key === key) === at);
  const parts = different.map(({ key, isStale, moves }) => {
    const mine = pool.reservation(key);
    const own = moves.map(({ units, to, like }): moving.Move => {
      const node = nodeOf(pool, like) ?? to.node;
      const names = pool.options.isCaller ? ([...units.names, 'node'] as const) : units.names;
      return { from: { fulfilment: null, ...selected(mine, { ...units, names }) }, to: { ...to, node } };
    });
    return { mine, isStale, moves: own };
  });
  moveAll(pool, parts, isByHand);
}

/**
 * Units of several reservations go each to where those of the next stand, in a ring: nothing needs to be free for it. The last one
 * may only `join`: it goes to where the first stood, and nobody goes where it stood.
 */
export function rotate(pool: PlayedPool, picks: readonly number[], quantity: number, joins: boolean): void {
  const keys = new Set(picks.flatMap((pick) => pool.pick(pick) ?? []));
  pool.lockAll([...keys]);
  const all = [...keys].map((key) => pool.reservation(key));
  const onRow = (one: Backing): boolean => one.kind === 'stock' && open(one) > 0;
  const sku = all[0]?.backings.find(onRow)?.sku;
  const standing = all.flatMap((mine) => {
    const backing = mine.backings.find((one) => onRow(one) && one.sku === sku);
    return backing ? [{ mine, backing }] : [];
  });
  const ring = joins ? standing.slice(0, -1) : standing;
  const [first] = standing;
  if (!first) return;
  const parts = standing.map(({ mine, backing }, at) => {
    const { line, node, fulfilment } = backing;
    const to = (ring[at + 1] ?? first).backing.node;
    const from = { line: mine.lines[line]?.id, sku, node, fulfilment, quantity: Math.min(quantity, open(backing)) };
    return { mine, isStale: false, moves: [{ from, to: { node: to, fulfilment: null } }] };
  });
  moveAll(pool, parts, false);
}

export function moveAll(
  pool: PlayedPool,
  parts: readonly { readonly mine: Reservation; readonly isStale: boolean; readonly moves: readonly moving.Move[] }[],
  isByHand: boolean,
): void {
  const verdict = moving.allocate(
    pool.model,
    parts.map(({ mine, ...part }) => ({ ...part, promised: pool.promised(mine) })),
    isByHand,
  );
  const asked = parts.map(({ mine: { key: reservation, version }, isStale, moves }) => ({
    reservation,
    version: isStale ? version - 1 : version,
    moves,
  }));
  const decision = decideAllocate(
    parts.map(({ mine, isStale, moves }) => ({
      reservation: mine,
      expectedVersion: mine.version - (isStale ? 1 : 0),
      moves,
    })),
    pool.supplies,
    pool.terms(isByHand),
  );
  assert.equal(decision.ok ? 'done' : decision.rejection.code, verdict);
  if (decision.ok) for (const effect of decision.value.effects) pool.accept(effect);
  pool.serve();
  pool.told({ kind: 'allocate', parts: asked, isByHand }, verdict);
}

export function amend(
  pool: PlayedPool,
  pick: number,
  channel: number | null,
  lines: readonly Reworded[],
  isByHand: boolean,
): void {
  const key = pool.pick(pick);
  if (key === undefined) return;
  const known = pool.reservation(key);
  const wanted = lines
    .map((one): amending.Wanted => wantedOf(known, one))
    .filter(({ id, sku }, at, all) => all.findIndex((one) => one.id === id && one.sku === sku) === at);
  pool.reap(new Set([...known.lines, ...wanted].map(({ sku }) => sku)));
  const mine = pool.reservation(key);
  const verdict = amending.amend(pool.model, pool.promised(mine), wanted, channel ?? mine.channel, isByHand);
  const { version } = mine;
  const amendment = { expectedVersion: mine.version, lines: wanted, channel, destination: undefined, priority: null };
  pool.expect(decideAmend(mine, amendment, pool.supplies, pool.terms(isByHand)), verdict);
  pool.told({ kind: 'amend', reservation: key, version, lines: wanted, channel, isByHand }, verdict);
}

/** A node begins to work on units, where they stand. */
export function pin(pool: PlayedPool, pick: number, named: Named, fulfilment: string): void {
  const mine = pool.lock(pick);
  if (!mine) return;
  const { node, ...which } = selected(mine, { ...named, names: ['line', 'node', 'fulfilment'] });
  const from = { fulfilment: null, ...which, node };
  moveAll(pool, [{ mine, isStale: false, moves: [{ from, to: { node: node ?? 1, fulfilment } }] }], false);
}

export function reject(pool: PlayedPool, pick: number, named: Named, said: Said, isByHand: boolean): void {
  const [mine, which] = pool.ofFulfilment(pick, named, pinned);
  if (!mine) return;
  const { effect, moveTo } = said;
  const verdict = moving.reject(pool.model, pool.promised(mine), which, said, isByHand);
  const seen = (sku: number, node: number): SeenBy => seenBy(pool.watermarks, sku, node, pool.model.at);
  const rejected = {
    ...{ selected: which, effect, moveTo },
    isLate: (sku: number, node: number) => seen(sku, node).total !== null,
    counted: (sku: number, node: number) => seen(sku, node).states,
  };
  pool.expect(decideReject(mine, rejected, pool.supplies, pool.terms(isByHand)), verdict);
  pool.told({ kind: 'reject', reservation: mine.key, units: which, ...said, isByHand }, verdict);
}

function nodeOf({ reservations }: PlayedPool, pick: number | null): number | undefined {
  const all = [...reservations.values()].flatMap(({ backings }) => backings);
  const live = all.filter((one) => one.kind === 'stock' && open(one) > 0);
  return pick === null ? undefined : live[pick % Math.max(1, live.length)]?.node;
}
