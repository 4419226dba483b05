import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import type { StreamDefinition } from '../nats/streams.ts';
import type { Rewind } from './verify-stream.ts';

/** Hooks for metrics and logs. They must not throw. */
export interface RelayHooks {
  /** So many events were acknowledged by the stream. */
  readonly onPublished?: (count: number) => void;
  /** Rows that wait (counted up to the limit a partition), the age of the oldest, and whether the limit is passed. */
  readonly onBacklog?: (backlog: { rows: number; lagSeconds: number; alarm: boolean }) => void;
  /** The partitions that this relay owns from now on. */
  readonly onOwnership?: (partitions: readonly number[]) => void;
  /** The stream lost events, which are being published again. */
  readonly onRewind?: (rewind: Rewind) => void;
  /** The stream is not as it should be, in words, or is again: none. Told when they change. */
  readonly onWarnings?: (warnings: readonly string[]) => void;
  /** Something failed; the relay goes on by itself. */
  readonly onError?: (error: unknown) => void;
}

export interface RelayOptions {
  /** The relay keeps one connection of this pool for as long as it runs. */
  readonly pool: pg.Pool;
  readonly connection: NatsConnection;
  /** The PostgreSQL schema with `messagingTables`. */
  readonly schema: string;
  readonly stream: StreamDefinition;
  /** 8 unless told; the number that the writers use. */
  readonly partitionCount?: number;
  /** Publishes outstanding at most, 128 unless told, and four times as many while a stream is filled again. */
  readonly window?: number;
  /** Rows read at once of each partition: 64 unless told, and four times as many while a stream is filled again. */
  readonly batchSize?: number;
  /** How long a relay that fell silent keeps its partitions, 15 s unless told. */
  readonly leaseMs?: number;
  /** How long to wait for one acknowledgement, 5 s unless told; less than half the lease. */
  readonly publishTimeoutMs?: number;
  /** How often to look when nobody nudges, 50 ms unless told. */
  readonly pollIntervalMs?: number;
  /** How often the stream is compared with what it acknowledged, 5 s unless told; after a failure it is at once. */
  readonly verifyIntervalMs?: number;
  /** Published ids kept in memory of each partition while an old transaction holds `low` back, 20,000 unless told. */
  readonly maxPublishedAhead?: number;
  /** Waiting rows of a partition above which the alarm is raised, 10,000 unless told. */
  readonly backlogLimit?: number;
  readonly hooks?: RelayHooks;
}

export type RelaySettings = Required<RelayOptions> & { readonly owner: string };

/** Fills in the defaults and checks what would break the relay's promises. */
export function relaySettings(options: RelayOptions): RelaySettings {
  const settings = {
    partitionCount: 8,
    window: 128,
    batchSize: 64,
    leaseMs: 15_000,
    publishTimeoutMs: 5_000,
    pollIntervalMs: 50,
    verifyIntervalMs: 5_000,
    maxPublishedAhead: 20_000,
    backlogLimit: 10_000,
    hooks: {},
    ...options,
    owner: randomUUID(),
  };
  assert(settings.publishTimeoutMs * 2 < settings.leaseMs, 'publishTimeoutMs must be less than half of leaseMs');
  return settings;
}
