/**
 * What a decision with several movements of promises comes to in the book. Gives and takes are gathered by row, and only the net
 * effect on a row needs units: two orders may swap nodes where nothing is free, and a row that gives up as much as it takes
 * needs no ATP, whatever its thresholds are.
 */
import { type UnitsAheadAt, aheadOf } from './ahead.ts';
import { exchange, hold } from './arithmetic.ts';
import { type NodeAtp, isHalted, maySell, rowAtp, shownAtp } from './atp.ts';
import { type Rebacked, chargeFence, rechargeFences } from './charge-fences.ts';
import type { LineNo, NodeKey, SkuKey } from './keys.ts';
import type { Decision, Shortage } from './rejection.ts';
import { accept, reject } from '@onepool/result';
import type { Backing, OpenTally } from './reservation.ts';
import type { SellingChannel, SellingRules } from './selling-rules.ts';
import { type SkuSupply, SupplyDraft, rowOf } from './supply.ts';
import { type SupplyPlace, stockAt } from './supply-row.ts';

/** `sold`: what a person has sold already. `by_hand`: what a person has decided. Both look at what is physically available only. */
export type Override = 'sold' | 'by_hand';

export interface Terms {
  readonly rules: SellingRules;
  /** Milliseconds. */
  readonly now: number;
  readonly override: Override | null;
}

export interface UnitsTaken {
  readonly sku: SkuKey;
  readonly at: SupplyPlace;
  readonly units: Readonly<Record<OpenTally, number>>;
  readonly channel: SellingChannel;
  /** Whose they are, for a refusal: the line, and of a command with several reservations which of them. */
  readonly line: LineNo;
  readonly part?: number | undefined;
}

export type UnitsGiven = Pick<UnitsTaken, 'sku' | 'at' | 'units'> & { readonly channel: SellingChannel | null };

interface RowNet {
  readonly sku: SkuKey;
  readonly at: SupplyPlace;
  reserved: number;
  committed: number;
  given: number;
  readonly taken: UnitsTaken[];
}

type Taker = Pick<UnitsTaken, 'line' | 'part'>;

interface ChannelNet {
  readonly channel: SellingChannel;
  readonly sku: SkuKey;
  /** Who took last. */
  taker: Taker;
  units: number;
}

const unitsIn = ({ held, confirmed }: UnitsTaken['units']): number => held + confirmed;
const keyOf = (sku: SkuKey, at: SupplyPlace): string => `${sku}:${at.kind}:${at.node}:${at.detail}`;
const networkKey = ({ key }: SellingChannel, sku: SkuKey): string => `${key}:${sku}`;
type Refusal = Extract<Decision<never>, { readonly ok: false }>;
const insufficient = ({ part }: Taker, short: Shortage): Refusal =>
  reject({ code: 'stock.insufficient', shortages: [short], ...(part === undefined ? {} : { part }) });

export class Settlement {
  readonly #rows = new Map<string, RowNet>();
  /** Units that a channel takes from what is there, less those that it gives, by channel and SKU. */
  readonly #network = new Map<string, ChannelNet>();

  give({ sku, at, units, channel }: UnitsGiven): void {
    const row = this.#row(sku, at);
    row.reserved -= units.held;
    row.committed -= units.confirmed;
    row.given += unitsIn(units);
    if (channel) this.#count(channel, sku, at, -unitsIn(units), { line: 0 });
  }

  take(taken: UnitsTaken): void {
    const { sku, at, units, channel } = taken;
    const row = this.#row(sku, at);
    row.reserved += units.held;
    row.committed += units.confirmed;
    row.taken.push(taken);
    this.#count(channel, sku, at, unitsIn(units), taken);
  }

  /**
   * What one channel may still take of a SKU at each of these nodes, null for all: its ATP, and what has been given there and not
   * been taken again. Exact as long as nobody takes for another channel. What the channel hides as a whole is for `settle`. An
   * override leaves stops alone: nobody chooses a node that is stopped unless a person names it.
   */
  room(
    supply: SkuSupply,
    channel: SellingChannel,
    nodes: readonly NodeKey[] | null,
    { rules, now, override }: Terms,
  ): readonly NodeAtp[] {
    const mayTake = (node: NodeKey): boolean =>
      (nodes === null || nodes.includes(node)) &&
      (override
        ? rules.nodes.has(node) && !isHalted(supply, rules, channel.key, node, now)
        : maySell(supply, rules, channel, node, now));
    return supply.rows
      .filter(({ node }) => mayTake(node))
      .map((row) => {
        const net = this.#rows.get(keyOf(supply.sku, stockAt(row.node)));
        const atp = override ? row.available : rowAtp(row, supply, rules, { channel, now });
        return { node: row.node, atp: atp - (net ? net.reserved + net.committed : 0) };
      })
      .filter(({ atp }) => atp > 0);
  }

  /** What may be promised of what is to come, as what has been gathered leaves it. */
  ahead(
    supply: SkuSupply,
    channel: SellingChannel,
    nodes: readonly NodeKey[] | null,
    { rules, now }: Terms,
  ): readonly UnitsAheadAt[] {
    return aheadOf(this.#after(supply), rules, { channel, nodes: nodes && new Set(nodes), now });
  }

  /** How many more units a channel may take, wherever they are, before it comes to what it hides as a whole. */
  shown(supply: SkuSupply, channel: SellingChannel, { rules, now, override }: Terms): number {
    const hidden = override ? 0 : rules.networkThreshold(channel.key, supply.sku);
    if (hidden === 0) return Number.POSITIVE_INFINITY;
    const given = -(this.#network.get(networkKey(channel, supply.sku))?.units ?? 0);
    return Math.max(0, given, shownAtp(this.#after(supply), rules, { channel, now }) - hidden);
  }

  #after(supply: SkuSupply): SkuSupply {
    const { sku } = supply;
    const draft = new SupplyDraft(new Map([[sku, supply]]));
    for (const row of this.#rows.values())
      if (row.sku === sku) draft.change(sku, row.at, (current) => exchange(current, row));
    return draft.supply(sku);
  }

  /**
   * Writes the net effect into the draft, and answers the backings of the reservations as fences pay for them. Or says for which
   * line there are too few units; then the draft is of no use.
   */
  settle(draft: SupplyDraft, terms: Terms, moved: readonly Rebacked[]): Decision<readonly (readonly Backing[])[]> {
    for (const row of this.#rows.values()) {
      if (row.reserved === 0 && row.committed === 0) continue;
      // Of what is to come nobody takes more than `ahead` has told.
      if (row.reserved + row.committed > 0 && row.at.kind === 'stock') {
        const refusal = refusalOf(row, draft.supply(row.sku), terms);
        if (refusal) return refusal;
      }
      draft.change(row.sku, row.at, (current) => exchange(current, row));
    }
    const backings = rechargeFences(moved, draft, terms);
    const refusal = this.#refusalOfNetwork(draft, terms);
    return refusal ?? accept(backings);
  }

  /** What a channel hides as a whole stays hidden, if it takes more than it gives. */
  #refusalOfNetwork(draft: SupplyDraft, { rules, now, override }: Terms): Refusal | null {
    if (override) return null;
    for (const { channel, sku, units, taker } of this.#network.values()) {
      const hidden = units > 0 ? rules.networkThreshold(channel.key, sku) : 0;
      if (hidden === 0) continue;
      const missing = hidden - shownAtp(draft.supply(sku), rules, { channel, now });
      if (missing <= 0) continue;
      const atp = Math.max(0, units - missing);
      return insufficient(taker, { line: taker.line, sku, requested: units, atp });
    }
    return null;
  }

  #row(sku: SkuKey, at: SupplyPlace): RowNet {
    const key = keyOf(sku, at);
    let row = this.#rows.get(key);
    if (!row) this.#rows.set(key, (row = { sku, at, reserved: 0, committed: 0, given: 0, taken: [] }));
    return row;
  }

  #count(channel: SellingChannel, sku: SkuKey, at: SupplyPlace, units: number, taker: Taker): void {
    if (at.kind !== 'stock') return;
    const key = networkKey(channel, sku);
    const counted = this.#network.get(key);
    if (!counted) {
      this.#network.set(key, { channel, sku, taker, units });
      return;
    }
    counted.units += units;
    if (units > 0) counted.taker = taker;
  }
}

/**
 * Units that the row gives up serve first those whose channel may take the fewest from it; what is left needs the ATP of its own
 * channel, of all that the channel takes together: a live share of what is there leaves no more to several small moves than to a large one.
 * Asked in the same order, since what the first ones leave must do for the others.
 */
function refusalOf({ sku, at, given, taken }: RowNet, supply: SkuSupply, terms: Terms): Refusal | null {
  const { rules, now, override } = terms;
  const trial = new SupplyDraft(new Map([[sku, supply]]));
  const atpFor = (channel: SellingChannel): number => {
    const current = trial.supply(sku);
    const row = rowOf(current, at);
    return override ? row.available : rowAtp(row, current, rules, { channel, now });
  };
  const channels = [...new Map(taken.map(({ channel }) => [channel.key, channel])).values()];
  const takers = channels.map((channel) => ({ channel, atp: atpFor(channel) })).sort((a, b) => a.atp - b.atp);
  let covered = given;
  for (const { channel } of takers) {
    const takes = taken.filter((one) => one.channel.key === channel.key);
    const requested = takes.reduce((sum, { units }) => sum + unitsIn(units), 0);
    const served = Math.min(covered, requested);
    covered -= served;
    const needed = requested - served;
    if (needed === 0) continue;
    const atp = atpFor(channel);
    if (needed > atp) return firstShort(takes, served + atp);
    trial.change(sku, at, (row) => hold(row, needed));
    chargeFence(trial, { sku, node: at.node, channel: channel.key, units: needed }, terms);
  }
  return null;
}

/** The first of these for which so many units do not do. */
function firstShort(takes: readonly UnitsTaken[], units: number): Refusal {
  let left = units;
  for (const taken of takes) {
    const requested = unitsIn(taken.units);
    const { line, sku } = taken;
    if (requested > left) return insufficient(taken, { line, sku, requested, atp: left });
    left -= requested;
  }
  throw new Error('Broken invariant: units that do for all of them');
}
