/**
 * What fences pay for, told from what became of backings. Units that a group takes are charged to its fence, on the backing and at the
 * SKU and node; units that end otherwise than with the buyer, move away or go to another channel give back what was charged, before
 * units that were common. What the buyer has stays charged: a budget is spent.
 *
 * Law: what is used of a fence is the sum of what backings are charged to it.
 */
import { payingFence } from './fence.ts';
import type { ChannelKey, FenceKey, NodeKey, SkuKey } from './keys.ts';
import { type Backing, type Reservation, open } from './reservation.ts';
import type { SellingRules } from './selling-rules.ts';
import { type SupplyDraft, fenceUsesOf } from './supply.ts';

/** Units that a fence pays for. */
export interface FencedUnits {
  readonly fence: FenceKey;
  readonly units: number;
}

export interface Taking {
  readonly sku: SkuKey;
  readonly node: NodeKey;
  readonly channel: ChannelKey;
  readonly units: number;
}

export interface FenceTerms {
  readonly rules: SellingRules;
  readonly now: number;
}

/** Units are taken at a node: as many as its fence has left for the channel are charged to it. Null if it has none. */
export function chargeFence(
  draft: SupplyDraft,
  { sku, node, channel, units }: Taking,
  { rules, now }: FenceTerms,
): FencedUnits | null {
  const fences = rules.fencesOf(sku);
  if (fences.length === 0 || units === 0) return null;
  const paying = payingFence(channel, fences, { node, uses: fenceUsesOf(draft.supply(sku)) }, now);
  if (!paying) return null;
  const charged = { fence: paying.fence, units: Math.min(units, paying.unused) };
  draft.useFence(sku, node, charged.fence, charged.units);
  return charged;
}

/** A backing has one fence: what it was charged to another is void, and given back to that one. */
export function withCharge(backing: Backing, charged: FencedUnits | null, draft: SupplyDraft): Backing {
  if (!charged) return backing;
  const before = backing.fence === charged.fence ? backing : withoutCharge(backing, backing.fenced, draft);
  return { ...before, fence: charged.fence, fenced: before.fenced + charged.units };
}

function withoutCharge(backing: Backing, units: number, draft: SupplyDraft): Backing {
  const { sku, node, fence, fenced } = backing;
  if (fence === null || units === 0) return backing;
  // Where the fence has been lifted, nobody may know its use any more.
  const isKnown = fenceUsesOf(draft.supply(sku)).some((use) => use.node === node && use.fence === fence);
  if (isKnown) draft.useFence(sku, node, fence, -units);
  return { ...backing, fence: fenced === units ? null : fence, fenced: fenced - units };
}

/** Units that are with the buyer, or are still to come to it. */
const kept = (backing: Backing | undefined): number => (backing ? open(backing) + backing.fulfilled : 0);

/** Backings after units have ended. */
export function giveBackFenced(
  before: readonly Backing[],
  after: readonly Backing[],
  draft: SupplyDraft,
): readonly Backing[] {
  if (!after.some(({ fenced }) => fenced > 0)) return after;
  return after.map((backing, no) => giveBack(backing, kept(before[no]) - kept(backing), draft));
}

const giveBack = (backing: Backing, units: number, draft: SupplyDraft): Backing =>
  withoutCharge(backing, Math.max(0, Math.min(units, backing.fenced)), draft);

/** Who sells the units of a reservation, and where they stand. */
type Standing = Pick<Reservation, 'channel' | 'backings'>;

/** A reservation before its units moved, and after that. */
export interface Rebacked {
  readonly before: Standing;
  readonly after: Standing;
}

/**
 * Backings of reservations whose units have moved together: first all give back, and then all are charged. Units that go to another
 * channel leave the fence of the first, even where they stay in their place.
 */
export function rechargeFences(
  all: readonly Rebacked[],
  draft: SupplyDraft,
  terms: FenceTerms,
): readonly (readonly Backing[])[] {
  const given = all.map(({ before, after }) =>
    after.backings.map((backing, no) => {
      const left = before.channel === after.channel ? kept(backing) : backing.fulfilled;
      return giveBack(backing, kept(before.backings[no]) - left, draft);
    }),
  );
  return all.map(({ before, after }, place) =>
    (given[place] ?? []).map((backing, no) => {
      if (backing.kind !== 'stock') return backing;
      const had = before.channel === after.channel ? kept(before.backings[no]) : backing.fulfilled;
      const { sku, node } = backing;
      const taking = { sku, node, channel: after.channel, units: Math.max(0, kept(backing) - had) };
      return withCharge(backing, chargeFence(draft, taking, terms), draft);
    }),
  );
}
