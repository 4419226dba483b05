export {
  createClient,
  type Client,
  type ClientOptions,
  type NatsClient,
  type OverHttp,
  type OverNats,
} from './client.ts';
export type { CallOptions } from './call.ts';
export { type Answered, NoAnswerError, type Outcome, type Refused, RefusedError, valueOf } from './outcome.ts';
export type { AnswerOf, CodeOf, Pieces, ProblemOf, RequestOf, StreamBody } from './operation-types.ts';
export type { RetryOptions } from './repeating.ts';
export type { HttpOptions } from './transport/http-transport.ts';
export { UnsendableError } from './transport/transport.ts';
export {
  type ConsumeOptions,
  consumeFacts,
  type Fact,
  type FactHandlers,
  type FactsOptions,
  type Gap,
  type InboxOptions,
} from './facts/consume-facts.ts';
export { followSnapshots, type FollowedMirror, type FollowOptions } from './mirror/follow-snapshots.ts';
export type { MirrorHooks, MirrorStage } from './mirror/follower-settings.ts';
export type { KindsOf, MirrorChange, MirrorRow, PageClient, SnapshotModule } from './mirror/kinds.ts';
export { MemoryMirror, type MemoryMirrorOptions } from './mirror/memory-mirror.ts';
export {
  MirrorNotReadyError,
  type MirrorState,
  type MirrorStore,
  type NextPage,
  type Progress,
  SupersededError,
} from './mirror/mirror-store.ts';
export { mirrorTables } from './mirror/mirror-tables.ts';
export { PostgresMirror, type PostgresMirrorOptions } from './mirror/postgres-mirror.ts';
export type { AnewReason } from './mirror/why-anew.ts';
