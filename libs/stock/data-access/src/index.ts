export { stockSchemaSql } from './schema.ts';
export { feedSchemaSql } from './feeds/feed-schema.ts';
export { StockEngine, type EngineOptions, type Settled } from './engine.ts';
export { StockReads, type Page } from './reads.ts';
export { Housekeeping, type HousekeepingOptions } from './housekeeping.ts';
export { EngineError, type EngineErrorCode } from './engine-error.ts';
export { Refusal, type RefusalCode } from './refusal.ts';
export type { LaneHooks, LaneLimits } from './lane.ts';
export type { VerbRequest } from './resolve.ts';
