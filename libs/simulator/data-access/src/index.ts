export { CONTRACT_LIMITS } from './contract-limits.ts';
export { TraceUnreadable, readTrace } from './trace/read-trace.ts';
export type { Trace } from './trace/read-trace.ts';
export { runReplay } from './run-replay.ts';
export type { ReplayOutcome, ReplaySettings } from './run-replay.ts';

// What another client-side test needs to audit its own history with the same rules.
export { FactLog } from './facts/fact-log.ts';
export { JetStreamFacts } from './facts/jetstream-facts.ts';
export { ApiClient } from './drive/api-client.ts';
export type { CallResult, Send } from './drive/api-client.ts';
export { putNetwork, putSkus, readStock, verifyLedger } from './drive/availability-api.ts';
export { awaitReady } from './drive/await-ready.ts';
export { awaitQuiescence } from './drive/await-quiescence.ts';
export { SystemUnavailable } from './drive/system-unavailable.ts';
