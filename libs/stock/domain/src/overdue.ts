/**
 * Lines that are late, closed or short, when no unit has come free that would settle it: time has passed, or a line was told to bring
 * less. The engine itself moves promises that nobody controls to where units are; the others are told to those who decide.
 */
import { type Freeing, type FreeingTerms, offerAvailable } from './free-units.ts';
import { type InboundLine, inTransit, inboundLineOf, isOverdue } from './inbound.ts';
import type { SkuKey } from './keys.ts';
import type { Reservation } from './reservation.ts';
import { type SkuSupply, type Supplies, noSupply, rowAt, suppliesAfter } from './supply.ts';
import { type SupplyRow, promised } from './supply-row.ts';

/** What a person must look at. */
export interface InboundConcern {
  /** `inbound.overdue`: units are late. `inbound.short`: units were promised that will not come. */
  readonly code: 'inbound.overdue' | 'inbound.short';
  readonly line: InboundLine;
  /** Units that are late or missing. */
  readonly quantity: number;
  /** Units that are promised of the line. */
  readonly promised: number;
}

export interface OverdueEffect {
  readonly freeing: Freeing;
  /** That are open from now on; an exception that is not among them is closed. */
  readonly concerns: readonly InboundConcern[];
}

/** Whether some promises of a SKU could be served by {@link decideOverdue}: their line is late, closed or short. */
export const hasOverdueLines = (supply: SkuSupply, now: number): boolean =>
  incomingOf(supply).some(({ row, line }) => promised(row) > 0 && (isOverdue(line, now) || row.shortfall > 0));

/** `candidates`: who stands on these lines, whether somebody controls it or not. Where there are others, those come later. */
export function decideOverdue(
  sku: SkuKey,
  candidates: readonly Reservation[],
  supplies: Supplies,
  terms: FreeingTerms,
): OverdueEffect {
  const before = supplies.get(sku) ?? noSupply(sku);
  const uncontrolled = candidates.filter(({ controller }) => controller === null);
  const freeing = offerAvailable(sku, uncontrolled, supplies, terms);
  const after = suppliesAfter(supplies, freeing.effect).get(sku) ?? before;
  return { freeing, concerns: inboundConcernsOf(after, terms.now) };
}

/** Whether what a person must look at is another than before, or there is more or less of it. */
export function hasOtherConcerns(before: SkuSupply, after: SkuSupply, now: number): boolean {
  if (before.future === after.future && before.inbound === after.inbound) return false;
  const then = inboundConcernsOf(before, now);
  const concerns = inboundConcernsOf(after, now);
  return (
    concerns.length !== then.length ||
    concerns.some(({ code, line, quantity }, place) => {
      const other = then[place];
      return other?.code !== code || other.line.detail !== line.detail || other.quantity !== quantity;
    })
  );
}

export function inboundConcernsOf(supply: SkuSupply, now: number): readonly InboundConcern[] {
  const concerns: InboundConcern[] = [];
  for (const { row, line } of incomingOf(supply)) {
    const late = !line.isClosed && isOverdue(line, now) ? inTransit(row) : 0;
    if (late > 0) concerns.push({ code: 'inbound.overdue', line, quantity: late, promised: promised(row) });
    if (isShort(row, supply))
      concerns.push({ code: 'inbound.short', line, quantity: row.shortfall, promised: promised(row) });
  }
  return concerns;
}

/** While a node has units for a later slice, the promises of its lines may still be served of them. */
const isShort = (row: SupplyRow, supply: SkuSupply): boolean =>
  row.shortfall > 0 && rowAt(supply, row.node).unapplied === 0;

const incomingOf = ({ sku, future, inbound }: SkuSupply): readonly { row: SupplyRow; line: InboundLine }[] =>
  future
    .filter(({ kind }) => kind === 'incoming')
    .map((row) => ({ row, line: inboundLineOf(sku, inbound, row.detail) }));
