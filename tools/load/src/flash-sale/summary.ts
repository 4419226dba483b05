/** The result of a flash sale: one flat object, and the rule by which it passes. */
import type { StockOfSku } from '@onepool/contracts';
import {
  type AuditResult,
  type History,
  type MoveFact,
  type UnitSum,
  percentile,
  unitLines,
} from '@onepool/simulator-domain';
import type { CallRecord } from './call-record.ts';
import type { FlashSalePlan } from './plan.ts';

export interface SaleEvidence {
  readonly plan: FlashSalePlan;
  readonly records: readonly CallRecord[];
  readonly history: History;
  readonly moves: readonly MoveFact[];
  readonly audit: AuditResult;
  readonly stock: StockOfSku;
  readonly unitSum: UnitSum;
  readonly holdLatenciesMs: readonly number[];
  /** Answers that a correct client of a correct system never gets. */
  readonly unexpected: number;
  readonly factsWritten: number;
  readonly factsReceived: number;
  readonly versionGaps: number;
  readonly ledgerBalanced: boolean;
  readonly droppedArrivals: number;
  readonly replicas: number;
}

/** Flat, and stable: scripts read it. */
export interface SaleSummary {
  /** Who came and asked; fewer than planned when k6 dropped too many. */
  readonly buyers: number;
  readonly units: number;
  /** Units promised and not given back when all was quiet. */
  readonly promised: number;
  readonly oversold: number;
  readonly undersold: number;
  readonly broken: number;
  readonly broken_expected: number;
  /** Of holds, as the buyer feels it: from the first attempt to the answer. */
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly granted: number;
  readonly refused: number;
  readonly given_back: number;
  readonly expired: number;
  readonly moved: number;
  readonly sold_at_counters: number;
  /** Promised units that are on a shelf: `promised` less `broken`. */
  readonly kept: number;
  /** Units on a shelf that nobody was promised. */
  readonly left: number;
  /** Units sold at a counter although the book had none there. */
  readonly overdrawn: number;
  /** Calls sent more than once. */
  readonly repeated: number;
  readonly unknown: number;
  readonly unexpected: number;
  /** Units by which the book differs from the acknowledged effects. */
  readonly lost: number;
  readonly still_held: number;
  readonly facts: number;
  readonly facts_missing: number;
  readonly ledger_balanced: boolean;
  /** Arrivals that k6 could not make because all its virtual users were busy or too slow to be made. */
  readonly dropped_arrivals: number;
  readonly replicas: number;
  readonly seed: number;
  readonly run: string;
  readonly duration_s: number;
}

export function summarizeSale(evidence: SaleEvidence): SaleSummary {
  const { plan, records, history, moves, audit, stock } = evidence;
  const { options } = plan;
  const held = (outcome: string): number => history.holds.filter((hold) => hold.outcome === outcome).length;
  const granted = sum(history.holds.flatMap(({ backed }) => backed));
  const givenBack = sum(history.steps.flatMap(({ effect, units }) => (effect === 'given_back' ? units : [])));
  const expired = sum(moves.filter(({ to }) => to === undefined));
  const latencies = [...evidence.holdLatenciesMs].sort((a, b) => a - b);
  const sales = history.movements.filter(({ id, outcome }) => id !== plan.stock.id && outcome === 'applied');
  return {
    buyers: history.holds.length,
    units: options.units,
    promised: granted - givenBack - expired,
    oversold: audit.oversold,
    undersold: audit.undersold,
    broken: audit.broken,
    broken_expected: audit.brokenExpected,
    p50_ms: percentile(latencies, 0.5),
    p99_ms: percentile(latencies, 0.99),
    granted,
    refused: held('refused'),
    given_back: givenBack,
    expired,
    moved: audit.moved,
    sold_at_counters: sum(sales.flatMap(({ movements }) => movements)),
    kept: evidence.unitSum.promised,
    left: evidence.unitSum.left,
    overdrawn: evidence.unitSum.overdrawn,
    repeated: records.filter(({ statuses }) => statuses.length > 1).length,
    unknown: held('unknown'),
    unexpected: evidence.unexpected,
    lost: audit.lost,
    still_held: stock.rows.reduce((total, { reserved }) => total + reserved, 0),
    facts: evidence.factsReceived,
    facts_missing: Math.abs(evidence.factsWritten - evidence.factsReceived) + evidence.versionGaps,
    ledger_balanced: evidence.ledgerBalanced,
    dropped_arrivals: evidence.droppedArrivals,
    replicas: evidence.replicas,
    seed: options.seed,
    run: options.run,
    duration_s: options.durationSeconds,
  };
}

const sum = (units: readonly { readonly quantity: number }[]): number =>
  units.reduce((total, { quantity }) => total + quantity, 0);

/** Why the sale does not pass; empty when it does. `most` are the budgets: figures that may not be larger. */
export function failuresOfSale(summary: SaleSummary, most: Readonly<Record<string, number>>): string[] {
  const figures = new Map(Object.entries(summary));
  const reasons = Object.entries(most).flatMap(([figure, limit]) => {
    const value = figures.get(figure);
    if (typeof value !== 'number') throw new Error(`budgets.json names ${figure}, which is no figure of a flash sale.`);
    return value > limit ? [`${figure} is ${value}, at most ${limit} is right`] : [];
  });
  const { broken, broken_expected: expected } = summary;
  if (broken !== expected) reasons.push(`${broken} units are broken, ${expected} were to be expected`);
  if (!summary.ledger_balanced) reasons.push('the ledger does not balance');
  return reasons;
}

/** What a person reads: sums that add up, and the verdict as the last line. */
export function saleLines(summary: SaleSummary, units: UnitSum, failures: readonly string[]): string[] {
  const n = (value: number): string => value.toLocaleString('en-US');
  const line = (sign: string, what: string, value: number): string =>
    `${sign} ${what.padEnd(52)}${n(value).padStart(12)}`;
  const open = summary.buyers - summary.granted - summary.refused;
  const dropped = `k6 dropped ${n(summary.dropped_arrivals)} arrivals for want of free virtual users: machine or system was too slow for this rate`;
  return [
    line(' ', 'buyers who asked for one unit each', summary.buyers),
    line('=', 'got a hold', summary.granted),
    line('+', 'were refused: nothing was left at that moment', summary.refused),
    ...(open === 0 ? [] : [line('+', 'got no certain answer', open)]),
    '',
    line(' ', 'holds granted', summary.granted),
    line('=', 'promised: not given back, not expired', summary.promised),
    line('+', 'given back by the buyer', summary.given_back),
    line('+', 'expired: the buyer never came back', summary.expired),
    '',
    line(' ', 'promised', summary.promised),
    line('=', 'kept: the unit is on a shelf', summary.kept),
    line('+', 'broken: a counter sold it later, no node had another', summary.broken),
    `  (an independent model expects ${n(summary.broken_expected)} broken; ${n(summary.moved)} promises were moved to another node instead)`,
    '',
    ...unitLines(units),
    '',
    ...(summary.dropped_arrivals > 0 ? [dropped] : []),
    ...failures.map((failure) => `FAILED: ${failure}`),
    `${n(summary.buyers)} buyers, ${n(summary.units)} units, ${n(summary.promised)} promised, ` +
      `${n(summary.oversold)} oversold: ${failures.length === 0 ? 'PASS' : 'FAIL'}`,
  ];
}
