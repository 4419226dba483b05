/**
 * Drain: promises leave where nothing may be promised any more and they may not stay either, because a stop drains it, the node has
 * closed, or their channel no longer sells from it.
 *
 * Known limit: units that a person has put where their channel does not sell look the same, and are told as well.
 */
import type { AllocationPolicy } from './allocation.ts';
import { DEFAULT_ALLOCATION } from './allocation-rules.ts';
import type { NodeAtp } from './atp.ts';
import { candidatesOf } from './candidates.ts';
import type { ChannelKey, LineNo, NodeKey, SkuKey } from './keys.ts';
import { type Relocated, relocateAll } from './relocate.ts';
import { type Backing, type Controller, type Reservation, open, openOfLine } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { isDrained } from './stop.ts';
import { type SkuSupply, type Supplies, noSupply, stopsOf } from './supply.ts';

/** Why units must leave a node. */
export type DrainReason = 'stop' | 'not_eligible';

/** Units that must leave, and stand where they stood. */
export interface StrandedUnits {
  /** The reservation's key. */
  readonly reservation: number;
  /** Its number. */
  readonly backing: number;
  readonly line: LineNo;
  readonly node: NodeKey;
  readonly fulfilment: string | null;
  readonly quantity: number;
  /** Open units of the line, whatever they stand on. */
  readonly lineOpen: number;
  readonly reason: DrainReason;
  /** Null: the engine moves these itself, where it finds units. */
  readonly controller: Controller | null;
  /** Where they could go, each node by itself, after what has moved; several units may have the same in mind. */
  readonly candidates: readonly NodeAtp[];
}

export interface Drained extends Relocated {
  /** Those that an order controls, that a node works on, or that find no place. */
  readonly stranded: readonly StrandedUnits[];
}

/**
 * Moves promises of one SKU to wherever their channel's ATP has units, as a healing does, whether they are covered where they stand
 * or not. What may not move, or cannot, is told.
 */
export function drainOf(
  sku: SkuKey,
  candidates: readonly Reservation[],
  supplies: Supplies,
  rules: SellingRules,
  now: number,
  policy: AllocationPolicy = DEFAULT_ALLOCATION,
): Drained {
  const leaving = (backing: Backing, supply: SkuSupply, one: Reservation): number =>
    drainReason(one, backing, supply, rules, now) === null ? 0 : open(backing);
  const moved = relocateAll(sku, candidates, supplies, leaving, { rules, now, policy });
  const supply = moved.supplies.get(sku) ?? noSupply(sku);
  const stranded = candidates.flatMap((one) => {
    const after = moved.effects.find(({ reservation }) => reservation.key === one.key)?.reservation ?? one;
    return after.backings
      .filter((backing) => backing.sku === sku)
      .flatMap((backing) => strandedAt(backing, after, supply, rules, now));
  });
  return { ...moved, stranded };
}

/** Why open units of a backing must leave their node; null if they may stay. */
export function drainReason(
  { channel: key }: Pick<Reservation, 'channel'>,
  { kind, node }: Pick<Backing, 'kind' | 'node'>,
  supply: SkuSupply,
  rules: SellingRules,
  now: number,
): DrainReason | null {
  if (kind !== 'stock') return null;
  return isDrained(stopsOf(supply), key, node, now) ? 'stop' : barredBy(rules, key, node, now);
}

/** Why promises of any SKU must leave a node; null if they may stay. */
function barredBy(rules: SellingRules, key: ChannelKey, node: NodeKey, now: number): DrainReason | null {
  if (isDrained(rules.stopsAt(node), key, node, now)) return 'stop';
  const channel = rules.channels.get(key);
  return channel && rules.isEligible(channel, node, now) ? null : 'not_eligible';
}

/** By channel the nodes at which its promises may not stay, whatever the SKU. */
export const barredNodes = (rules: SellingRules, now: number): ReadonlyMap<ChannelKey, readonly NodeKey[]> =>
  new Map(
    [...rules.channels.keys()].map((channel) => [
      channel,
      [...rules.nodes.keys()].filter((node) => barredBy(rules, channel, node, now) !== null),
    ]),
  );

function strandedAt(
  backing: Backing,
  reservation: Reservation,
  supply: SkuSupply,
  rules: SellingRules,
  now: number,
): readonly StrandedUnits[] {
  const reason = open(backing) > 0 ? drainReason(reservation, backing, supply, rules, now) : null;
  if (!reason) return [];
  const { no, line, node, fulfilment } = backing;
  const { key, controller } = reservation;
  const of = { reservation: key, backing: no, line, node, fulfilment, quantity: open(backing), controller };
  const lineOpen = openOfLine(reservation, line);
  return [{ ...of, lineOpen, reason, candidates: candidatesOf(reservation, line, supply, rules, now) }];
}
