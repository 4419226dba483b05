export { stockTables } from './stock-tables.ts';
export {
  engineConnections,
  QUEUES_DEFAULT,
  StockEngine,
  type EngineHooks,
  type EngineOptions,
} from './engine/engine.ts';
export { EngineError, type EngineErrorCode } from './engine/engine-error.ts';
export type { Asker, Settled } from './requests/command.ts';
export { type Answer, type Refusal, type RefusalCode } from './requests/refusal.ts';
export { beyond } from './requests/resolve.ts';
export type { VerbRequest } from './requests/resolve-verb.ts';
export { SourceSettingsStore } from './sources/source-settings.ts';
export { StockReads, type Page } from './queries/stock-reads.ts';
export { InspectionReads } from './queries/inspection-reads.ts';
export { InboundReads } from './queries/inbound-reads.ts';
export { StockMemory, type StockMemoryOptions } from './queries/stock-memory.ts';
export { Housekeeping, type HousekeepingOptions } from './jobs/housekeeping.ts';
export { Retention, type RetentionOptions } from './jobs/retention.ts';
export { FEED_CONNECTIONS, StockFeeds, type StockFeedsOptions } from './feeds/stock-feeds.ts';
export type { FeedUpload, FeedLimits } from './feeds/upload/feed-uploads.ts';
export type { FeedFormat } from './feeds/upload/row-reader.ts';
