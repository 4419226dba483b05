export { createPool, sessionOptions, type PoolOptions } from './pool.ts';
export { inTransaction } from './in-transaction.ts';
export {
  inPipelinedTransaction,
  transactionSentAtOnce,
  type PipelinedWrite,
  type Settlement,
} from './in-pipelined-transaction.ts';
export {
  classifyPgError,
  isDefiniteFailure,
  isOutage,
  isTransient,
  TransactionOutcomeUnknownError,
  TransactionRolledBackError,
  type PgErrorKind,
} from './errors.ts';
export {
  MIGRATION_FILE,
  migrationChecksum,
  type SchemaDeclaration,
  type SchemaPart,
} from './migrations/migration-files.ts';
export { runMigrations, type MigrationOptions, type MigrationReport } from './migrations/run-migrations.ts';
export { describeSchemas } from './describe-schemas.ts';
export { auditRights } from './audit-rights.ts';
export { explained, type Address } from './operator-sentences.ts';
export { requireSchemas, type SchemaDemand } from './require-schemas.ts';
export { combineRights, type SchemaRights } from './rights.ts';
export { DAYS_AHEAD, PartitionKeeper, readPartitionState } from './partitions/partition-keeper.ts';
export type { PartitionKeeperOptions, PartitionState } from './partitions/partition-keeper.ts';
export { partitionTables } from './partitions/partition-tables.ts';
export { retryOnLock } from './partitions/retry-on-lock.ts';
export { underSessionLock } from './under-session-lock.ts';
export { withClient } from './with-client.ts';
export { waitForPostgres, type WaitOptions } from './wait-for-postgres.ts';
export { parseInt8, typeParsers } from './int8.ts';
