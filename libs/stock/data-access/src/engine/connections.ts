/** The connections of one engine: pools by what they are for, so that none waits behind what is less urgent. */
import { availableParallelism } from 'node:os';
import { createPool } from '@onepool/platform-postgres';
import type pg from 'pg';

/** How long a command may take before it is answered 503, unless told. */
export const DEADLINE_MS = 10_000;

/** How long one statement of the ledger's proof, of a count or of retention may take. */
const AUDIT_TIMEOUT_MS = 60_000;

/** At most, for each engine; audits are the proof of the ledger, a count of events, and retention. */
const CONNECTIONS = { reads: 6, lookups: 4, audits: 3 };

/**
 * A commit queue keeps one core of the database busy, while this process decides the next batch on another. More queues than
 * that make smaller batches, and so fewer reservations: on two cores one queue does half as many again as four.
 */
export const QUEUES_DEFAULT = Math.min(4, Math.max(1, availableParallelism() - 1));

/** A queue writes on one and reads on another, and so does its contended queue; not all do all at once. */
const queueConnections = (queues: number): number => 2 * queues + 5;

/** Connections that an engine of so many commit queues opens at most. */
export const engineConnections = (queues: number): number =>
  queueConnections(queues) + CONNECTIONS.reads + CONNECTIONS.lookups + CONNECTIONS.audits;

/**
 * A batch's statements look rows up by their keys, however many there are. Planned once: with the arrays at hand the
 * planner finds its guess better every time, and planning costs several times what running does. And planned for keys,
 * so that a plan made while a table was small still serves when it is large.
 */
const BATCH_PLANS = {
  plan_cache_mode: 'force_generic_plan',
  jit: 'off',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};

/** By keys as well, and planning costs three times what such a look-up does. */
const LOOKUP_PLANS = { plan_cache_mode: 'force_generic_plan', jit: 'off' };

export interface ConnectionOptions {
  readonly url: string;
  readonly schema: string;
  /** Commit queues for single-SKU commands; one more serves carts. Default {@link QUEUES_DEFAULT}. */
  readonly queues?: number;
  /** How long a command may take before it is answered 503, a fifth of it for a new connection. Default {@link DEADLINE_MS}. */
  readonly deadlineMs?: number;
  /** How long a stopped replica may keep its locks. Default 1,000. */
  readonly idleInTransactionTimeoutMs?: number;
  /** Begins the names of its sessions in `pg_stat_activity`, to tell replicas apart; the schema unless told. */
  readonly name?: string;
  readonly onConnectionError?: (error: Error) => void;
}

export class EngineConnections {
  /** For commit queues only; reads must not wait behind them. */
  readonly writes: pg.Pool;
  /** What callers read. It may be exhausted: nothing that commands, API keys or housekeeping need waits for it. */
  readonly reads: pg.Pool;
  /** Short look-ups without which nothing goes on: API keys, SKUs, rules, reservations, housekeeping, readiness. */
  readonly lookups: pg.Pool;
  /** Statements that take long by their nature: the proof of the ledger, counts, retention. */
  readonly audits: pg.Pool;

  constructor(options: ConnectionOptions) {
    const name = options.name ?? options.schema;
    const shared = {
      url: options.url,
      schema: options.schema,
      lockTimeoutMs: 3_000,
      statementTimeoutMs: 5_000,
      idleInTransactionTimeoutMs: options.idleInTransactionTimeoutMs ?? 1_000,
      // Who is patient with a command is so with the connection that it needs.
      connectTimeoutMs: (options.deadlineMs ?? DEADLINE_MS) / 5,
      ...(options.onConnectionError ? { onConnectionError: options.onConnectionError } : {}),
    };
    this.writes = createPool({
      ...shared,
      pipeline: true,
      settings: BATCH_PLANS,
      max: queueConnections(options.queues ?? QUEUES_DEFAULT),
      applicationName: `${name}-engine`,
    });
    this.reads = createPool({ ...shared, max: CONNECTIONS.reads, applicationName: `${name}-reads` });
    this.lookups = createPool({
      ...shared,
      settings: LOOKUP_PLANS,
      max: CONNECTIONS.lookups,
      applicationName: `${name}-lookups`,
    });
    this.audits = createPool({
      ...shared,
      max: CONNECTIONS.audits,
      statementTimeoutMs: AUDIT_TIMEOUT_MS,
      applicationName: `${name}-audits`,
    });
  }

  async close(): Promise<void> {
    await Promise.all([this.writes, this.reads, this.lookups, this.audits].map((pool) => pool.end()));
  }
}
