export { findNatsServer, NATS_SOURCES, natsWarning } from './find-nats-server.ts';
export type { NatsSearch } from './find-nats-server.ts';
export { readNatsGreeting } from './nats-greeting.ts';
export type { NatsGreeting } from './nats-greeting.ts';
export { PINNED_NATS_VERSION } from './nats-version.ts';
export { LocalServerError, PortForbiddenError, PortTakenError } from './local-server.ts';
export type { LocalServer } from './local-server.ts';
export { installProgram, lastLine, namedByVariable, probeProgram, searchProgram } from './program-search.ts';
export type { FoundProgram, Miss, ProgramIdentity, ProgramSearch, ProgramSource } from './program-search.ts';
export { cacheDirectory, machineEnvironment } from './search-environment.ts';
export type { CommandResult, SearchEnvironment } from './search-environment.ts';
export { freePort, freePortBase, isPortFree, requireFreePort } from './ports.ts';
export { openLog, withPrivateFiles } from './private-files.ts';
export { commandLine, isAlive, signal, startedAt, waitForExit } from './process-table.ts';
export { removePrivateDirectory } from './reachable-directory.ts';
export { natsUrlFor } from './nats-accounts.ts';
export type {
  NatsAccount,
  NatsCredentials,
  NatsExport,
  NatsImport,
  NatsPermissions,
  NatsSubjects,
  NatsUser,
} from './nats-accounts.ts';
export { changeNatsAccounts, natsPortIn, startNats, stopNatsIn } from './start-nats.ts';
export type { NatsOptions } from './start-nats.ts';
export { POSTGRES_PASSWORD_FILES } from './postgres-roles.ts';
export { startPostgres, stopPostgresIn } from './start-postgres.ts';
export type { LocalPostgres, PostgresOptions } from './start-postgres.ts';
export { findSystem } from './find-system.ts';
export type { FoundSystem, SystemHints } from './find-system.ts';
export { SystemNotFound, crash, identify, isRunning, pidOf, readRecord } from './runtime-record.ts';
export type { ProcessIdentity, RecordedProcess, RuntimeRecord } from './runtime-record.ts';
