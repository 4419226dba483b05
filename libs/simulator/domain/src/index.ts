export type {
  ChannelOfRun,
  HoldRequest,
  Limits,
  Movement,
  MovementsRequest,
  NodeOfRun,
  Reservation,
  StockOfSku,
} from './messages.ts';
export { firstOrders } from './trace/invoice.ts';
export type { Invoice, InvoiceLine } from './trace/invoice.ts';
export { TRACE_COLUMNS, readTraceLine } from './trace/trace-line.ts';
export { planReplay } from './plan/plan-replay.ts';
export type {
  HoldOperation,
  MovementOperation,
  Operation,
  Plan,
  PlanOptions,
  Verb,
  VerbOperation,
} from './plan/plan.ts';
export { randomOf } from './plan/random.ts';
export { spreadUnits } from './plan/spread-units.ts';
export { backoffMs, callsForRetry, leavesOutcomeOpen } from './calls/backoff.ts';
export { OutageLog } from './calls/outages.ts';
export type { Attempt, Outage } from './calls/outages.ts';
export { isExpectedRefusal } from './calls/expected-refusals.ts';
export { Recorder, grantOf } from './history/recorder.ts';
export type { ConfirmFact, History, HoldRecord, Interval, MoveFact, MovementRecord } from './history/history.ts';
export { audit } from './audit/audit.ts';
export type { AuditInput, AuditResult } from './audit/audit.ts';
export type { Finding } from './audit/finding.ts';
export { failuresOf, orderLine, percentile, summarize, verdictOf } from './report/summary.ts';
export type { Summary } from './report/summary.ts';
export { unitLines, unitSum } from './report/unit-sum.ts';
export type { UnitSum } from './report/unit-sum.ts';
