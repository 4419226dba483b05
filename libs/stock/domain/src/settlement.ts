/**
 * What a decision with several movements of promises comes to in the book. Gives and takes are gathered by row, and only the net
 * effect on a row needs units: two orders may swap nodes where nothing is free, and a row that gives up as much as it takes
 * needs no ATP, whatever its thresholds are.
 */
import { exchange } from './arithmetic.ts';
import { nodeAtp, shownAtp } from './atp.ts';
import type { SkuKey } from './keys.ts';
import type { Decision, Shortage } from './rejection.ts';
import { accept, reject } from './result.ts';
import type { OpenTally } from './reservation.ts';
import type { SellingChannel, SellingRules } from './selling-rules.ts';
import { type SupplyDraft, rowOf } from './supply.ts';
import type { SupplyPlace, SupplyRow } from './supply-row.ts';

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
  /** The id of their line, for a refusal. */
  readonly line: string;
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

const unitsIn = ({ held, confirmed }: UnitsTaken['units']): number => held + confirmed;

export class Settlement {
  readonly #rows = new Map<string, RowNet>();
  /** Units that a channel takes from what is there, less those that it gives, by channel and SKU. */
  readonly #network = new Map<string, { channel: SellingChannel; sku: SkuKey; line: string; units: number }>();

  give({ sku, at, units, channel }: UnitsGiven): void {
    const row = this.#row(sku, at);
    row.reserved -= units.held;
    row.committed -= units.confirmed;
    row.given += unitsIn(units);
    if (channel) this.#count(channel, sku, at, '', -unitsIn(units));
  }

  take(taken: UnitsTaken): void {
    const { sku, at, units, channel, line } = taken;
    const row = this.#row(sku, at);
    row.reserved += units.held;
    row.committed += units.confirmed;
    row.taken.push(taken);
    this.#count(channel, sku, at, line, unitsIn(units));
  }

  /** Writes the net effect into the draft, or says for which line there are too few units; then the draft is of no use. */
  settle(draft: SupplyDraft, terms: Terms): Decision<null> {
    for (const row of this.#rows.values()) {
      const before = rowOf(draft.supply(row.sku), row.at);
      if (row.reserved + row.committed > 0) {
        const short = shortOf(row, before, terms);
        if (short) return reject({ code: 'stock.insufficient', shortages: [short] });
      }
      draft.change(row.sku, row.at, (current) => exchange(current, row));
    }
    return this.#settleNetwork(draft, terms);
  }

  /** What a channel hides as a whole stays hidden, if it takes more than it gives. */
  #settleNetwork(draft: SupplyDraft, { rules, now, override }: Terms): Decision<null> {
    if (override) return accept(null);
    for (const { channel, sku, units, line } of this.#network.values()) {
      const hidden = units > 0 ? rules.networkThreshold(channel.key, sku) : 0;
      if (hidden === 0) continue;
      const missing = hidden - shownAtp(draft.supply(sku), rules, { channel, now });
      if (missing <= 0) continue;
      const atp = Math.max(0, units - missing);
      return reject({ code: 'stock.insufficient', shortages: [{ line, sku, requested: units, atp }] });
    }
    return accept(null);
  }

  #row(sku: SkuKey, at: SupplyPlace): RowNet {
    const key = `${sku}:${at.kind}:${at.node}:${at.detail}`;
    let row = this.#rows.get(key);
    if (!row) this.#rows.set(key, (row = { sku, at, reserved: 0, committed: 0, given: 0, taken: [] }));
    return row;
  }

  #count(channel: SellingChannel, sku: SkuKey, at: SupplyPlace, line: string, units: number): void {
    if (at.kind !== 'stock') return;
    const key = `${channel.key}:${sku}`;
    const counted = this.#network.get(key);
    if (!counted) this.#network.set(key, { channel, sku, line, units });
    else Object.assign(counted, { units: counted.units + units, line: units > 0 ? line : counted.line });
  }
}

/**
 * Units that the row gives up serve first those whose channel may take the fewest from it; what is left needs the ATP of its own
 * channel. Asked in the same order, since what the first ones leave must do for the others.
 */
function shortOf({ sku, given, taken }: RowNet, row: SupplyRow, terms: Terms): Shortage | null {
  const { rules, override } = terms;
  const atpFor = (channel: SellingChannel): number => (override ? row.available : nodeAtp(row, rules, channel, sku));
  const takers = taken.map((one) => ({ ...one, atp: atpFor(one.channel) })).sort((a, b) => a.atp - b.atp);
  let covered = given;
  let used = 0;
  for (const { line, units, atp } of takers) {
    const wanted = unitsIn(units);
    const served = Math.min(covered, wanted);
    covered -= served;
    used += wanted - served;
    if (used > atp && wanted > served)
      return { line, sku, requested: wanted, atp: Math.max(0, wanted - (used - atp)) };
  }
  return null;
}
