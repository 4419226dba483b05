/** The result of a replay: one flat object, and the rule by which it passes. */
import type { AuditResult } from '../audit/audit.ts';
import type { Finding } from '../audit/finding.ts';
import type { Outage } from '../calls/outages.ts';
import type { History } from '../history/history.ts';
import type { Plan } from '../plan/plan.ts';

export interface ReplayFacts {
  readonly plan: Plan;
  readonly history: History;
  readonly audit: AuditResult;
  readonly holdLatenciesMs: readonly number[];
  readonly driveMs: number;
  readonly eventsPublished: number;
  readonly eventsReceived: number;
  /** Links missing in the chains of SKU versions. */
  readonly versionGaps: number;
  readonly ledgerBalanced: boolean;
  /** Answers that a correct client of a correct system never gets. */
  readonly failures: number;
  readonly stepsRefused: number;
  readonly retries: number;
  readonly callsRetried: number;
  readonly outages: readonly Outage[];
}

/** Flat, and stable: scripts read it. Units are in the names or in `SUMMARY_NOTES`. */
export interface Summary {
  readonly orders: number;
  readonly units: number;
  readonly granted: number;
  readonly refused: number;
  readonly moved: number;
  readonly oversold: number;
  readonly undersold: number;
  readonly broken: number;
  readonly broken_expected: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly orders_per_s: number;
  readonly events_published: number;
  readonly events_received: number;
  readonly ledger_balanced: boolean;
  readonly seed: number;
  readonly run: string;
  readonly lines: number;
  readonly granted_partly: number;
  readonly pos_sales: number;
  readonly movements: number;
  readonly lost: number;
  readonly unknown: number;
  readonly failed: number;
  readonly version_gaps: number;
  readonly steps_refused: number;
  readonly retries: number;
  readonly calls_retried: number;
  readonly outages: number;
  readonly outage_s: number;
  readonly duration_s: number;
}

export const summarize = (facts: ReplayFacts): Summary => {
  const { plan, history, audit } = facts;
  const held = (outcome: string): number => history.holds.filter((hold) => hold.outcome === outcome).length;
  const latencies = [...facts.holdLatenciesMs].sort((a, b) => a - b);
  const seconds = facts.driveMs / 1_000;
  return {
    orders: plan.orders,
    units: plan.units,
    granted: held('granted'),
    refused: held('refused'),
    moved: audit.moved,
    oversold: audit.oversold,
    undersold: audit.undersold,
    broken: audit.broken,
    broken_expected: audit.brokenExpected,
    p50_ms: rounded(percentile(latencies, 0.5)),
    p99_ms: rounded(percentile(latencies, 0.99)),
    orders_per_s: seconds > 0 ? rounded(plan.orders / seconds) : 0,
    events_published: facts.eventsPublished,
    events_received: facts.eventsReceived,
    ledger_balanced: facts.ledgerBalanced,
    seed: plan.options.seed,
    run: plan.options.run,
    lines: plan.lines,
    granted_partly: history.holds.filter(isPartial).length,
    pos_sales: plan.operations.filter((one) => one.kind === 'movement' && one.cause === 'pos_sale').length,
    movements: history.movements.length,
    lost: audit.lost,
    unknown: held('unknown') + history.movements.filter(({ outcome }) => outcome === 'unknown').length,
    failed: facts.failures,
    version_gaps: facts.versionGaps,
    steps_refused: facts.stepsRefused,
    retries: facts.retries,
    calls_retried: facts.callsRetried,
    outages: facts.outages.length,
    outage_s: rounded(sum(facts.outages.map(({ fromMs, untilMs = fromMs }) => untilMs - fromMs)) / 1_000),
    duration_s: rounded(seconds),
  };
};

const isPartial = ({ outcome, requested, backed }: History['holds'][number]): boolean =>
  outcome === 'granted' &&
  backed.reduce((sum, { quantity }) => sum + quantity, 0) < [...requested.values()].reduce((a, b) => a + b, 0);

/** Nearest rank over ascending values; 0 without any. */
export const percentile = (ascending: readonly number[], share: number): number =>
  ascending[Math.max(0, Math.ceil(ascending.length * share) - 1)] ?? 0;

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
const rounded = (value: number): number => Math.round(value * 10) / 10;

/** Why the replay does not pass; empty when it does. */
export const failuresOf = (summary: Summary, findings: readonly Finding[]): string[] => {
  const reasons: string[] = [];
  if (summary.oversold > 0) reasons.push(`${summary.oversold} units were oversold`);
  if (summary.undersold > 0) reasons.push(`${summary.undersold} calls were refused although enough was there`);
  if (summary.broken !== summary.broken_expected)
    reasons.push(`${summary.broken} units are broken, ${summary.broken_expected} were to be expected`);
  else if (findings.some(({ check }) => check === 'broken')) reasons.push('broken units lie with the wrong SKUs');
  if (summary.events_received !== summary.events_published)
    reasons.push(`${summary.events_published} facts were written, ${summary.events_received} were received`);
  if (summary.version_gaps > 0) reasons.push(`${summary.version_gaps} links of SKU version chains are missing`);
  if (!summary.ledger_balanced) reasons.push('the ledger does not balance');
  if (summary.lost > 0) reasons.push(`${summary.lost} units differ between acknowledged effects and the book`);
  if (summary.failed > 0) reasons.push(`${summary.failed} calls got an answer that no correct call gets`);
  return reasons;
};

/** The verdict in one line, for a person and for `grep`. */
export const verdictOf = (summary: Summary, failures: readonly string[]): string => {
  const n = (value: number): string => value.toLocaleString('en-US');
  if (failures.length > 0) return `FAIL: ${failures.join('; ')}.`;
  return (
    `PASS: ${n(summary.orders)} orders, 0 units oversold, 0 calls refused wrongly, 0 units lost, ` +
    `all ${n(summary.events_received)} facts received, the ledger balances.`
  );
};

/** The orders as a sum that a reader can check. */
export const orderLine = ({ orders, granted, refused, pos_sales, ...rest }: Summary): string => {
  const n = (value: number): string => value.toLocaleString('en-US');
  const open = orders - granted - refused - pos_sales;
  const parts = [
    `${n(granted)} granted (${n(rest.granted_partly)} of them in part)`,
    `${n(refused)} refused`,
    `${n(pos_sales)} sold at a counter`,
    ...(open === 0 ? [] : [`${n(open)} without a certain answer`]),
  ];
  return `${n(orders)} orders = ${parts.join(' + ')}`;
};
