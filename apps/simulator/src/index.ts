export { readTrace, firstOrders, TraceUnreadable } from './trace/read-trace.ts';
export type { Invoice, Trace } from './trace/read-trace.ts';
export { planReplay } from './plan/plan-replay.ts';
export type { Plan, PlanOptions } from './plan/plan.ts';
export { audit } from './audit/audit.ts';
export type { AuditInput, AuditResult } from './audit/audit.ts';
export type { Finding } from './audit/finding.ts';
export { runReplay } from './run-replay.ts';
export type { ReplayOutcome, ReplaySettings } from './run-replay.ts';
export type { Summary } from './report/summary.ts';

// What another client-side test needs to audit its own history with the same rules.
export { Recorder, grantOf } from './history/recorder.ts';
export type { ConfirmFact, History, HoldRecord, Interval, MoveFact, MovementRecord } from './history/history.ts';
export { FactLog } from './facts/fact-log.ts';
export { JetStreamFacts } from './facts/jetstream-facts.ts';
export { ApiClient } from './drive/api-client.ts';
export type { CallResult } from './drive/api-client.ts';
export { putNetwork, putSkus, readStock, send, verifyLedger } from './drive/availability-api.ts';
export { awaitQuiescence } from './drive/await-quiescence.ts';
export { callsForRetry, leavesOutcomeOpen } from './drive/backoff.ts';
export { isExpectedRefusal } from './drive/expected-refusals.ts';
export { SystemUnavailable } from './drive/system-unavailable.ts';
export { randomOf } from './plan/random.ts';
export { spreadUnits } from './plan/spread-units.ts';
export { percentile } from './report/summary.ts';
