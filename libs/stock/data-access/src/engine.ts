/**
 * The stock engine: holds, verbs and movements through group commit, and the housekeeping that keeps promises true.
 * Any number of engines may run on one database, which is the only arbiter.
 */
import { availableParallelism } from 'node:os';
import DataLoader from 'dataloader';
import type {
  HoldRequest,
  MovementsRequest,
  MovementsResult,
  Reservation as ReservationView,
} from '@onepool/contracts';
import type { Rejection, SellingRules, SkuKey } from '@onepool/stock-domain';
import { createPool, isTransient } from '@onepool/platform-postgres';
import { currentTraceparent } from '@onepool/platform-tracing';
import type pg from 'pg';
import { type BatchContext, BatchRunner } from './batch.ts';
import type { Asker, Command, Outcome } from './command.ts';
import { DatabaseClock } from './database-clock.ts';
import { EngineError } from './engine-error.ts';
import { Lane, type LaneHooks, type LaneLimits } from './lane.ts';
import { Refusal } from './refusal.ts';
import { KnownSupplies } from './known-supplies.ts';
import { ReservationKeys } from './reservation-keys.ts';
import { type VerbRequest, resolveHold, resolveMovements, resolveVerb } from './resolve.ts';
import { RulesSource } from './rules-source.ts';
import { CodeBook } from './code-book.ts';
import { Views } from './view.ts';

export interface EngineOptions {
  readonly url: string;
  readonly schema: string;
  /** Outbox partitions; the same number in every replica. */
  readonly partitionCount: number;
  /** Lanes for single-SKU commands; one more serves carts. Default {@link LANES_DEFAULT}. */
  readonly lanes?: number;
  /** How long a command may take before it is answered 503, a fifth of it for a new connection. Default 10,000. */
  readonly deadlineMs?: number;
  /** How long a stopped replica may keep its locks. Default 1,000. */
  readonly idleInTransactionTimeoutMs?: number;
  readonly limits?: Partial<LaneLimits>;
  readonly hooks?: LaneHooks;
  /** Begins the names of its sessions in `pg_stat_activity`, to tell replicas apart; the schema unless told. */
  readonly name?: string;
  /** Called after a commit that wrote facts, for instance to wake the relay. */
  readonly onCommitted?: () => void;
  readonly onConnectionError?: (error: Error) => void;
}

/** A refused command, with the shape that its problem document shows. */
export type Settled<T> =
  | { readonly ok: true; readonly value: T; readonly replayed: boolean }
  | { readonly ok: false; readonly code: string; readonly details: Readonly<Record<string, unknown>> };

const DEADLINE_MS = 10_000;
const LOOKUP_RETRY_PAUSE_MS = 50;
const BUSY_FOR_MS = 100;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** How long one statement of the ledger's proof, of a count or of retention may take. */
const AUDIT_TIMEOUT_MS = 60_000;

/** At most, for each engine; audits are the proof of the ledger, a count of events, and retention. */
const CONNECTIONS = { reads: 6, lookups: 4, audits: 3 };

/**
 * A lane keeps one core of the database busy, while this process decides the next batch on another. More lanes than that
 * make smaller batches, and so fewer reservations: on two cores one lane does half as many again as four.
 */
export const LANES_DEFAULT = Math.min(4, Math.max(1, availableParallelism() - 1));

/** A lane writes on one and reads on another, and so does what waits aside; not all do all at once. */
const laneConnections = (lanes: number): number => 2 * lanes + 4;

/** Connections that an engine of so many lanes opens at most. */
export const engineConnections = (lanes: number): number =>
  laneConnections(lanes) + CONNECTIONS.reads + CONNECTIONS.lookups + CONNECTIONS.audits;

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

const LIMITS: LaneLimits = { commandsPerBatchMax: 512, linesPerBatchMax: 2_000, queueMax: 20_000 };

export class StockEngine {
  readonly codes: CodeBook;
  readonly rules: RulesSource;
  /** For lanes only; reads must not wait behind them. */
  readonly #pool: pg.Pool;
  /** What callers read. It may be exhausted: nothing that commands, API keys or housekeeping need waits for it. */
  readonly readPool: pg.Pool;
  /** Short look-ups without which nothing goes on: API keys, SKUs, rules, reservations, housekeeping, readiness. */
  readonly lookupPool: pg.Pool;
  /** Statements that take long by their nature: the proof of the ledger, counts, retention. */
  readonly auditPool: pg.Pool;
  readonly #lanes: readonly Lane[];
  readonly #cartLane: Lane;
  readonly #deadlineMs: number;
  #askedAt = Number.NEGATIVE_INFINITY;
  readonly #reservations: DataLoader<readonly [string, string], { key: number; skus: SkuKey[] } | null, string>;

  constructor(options: EngineOptions) {
    const laneCount = options.lanes ?? LANES_DEFAULT;
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
    this.#pool = createPool({
      ...shared,
      pipeline: true,
      settings: BATCH_PLANS,
      max: laneConnections(laneCount),
      applicationName: `${name}-engine`,
    });
    this.readPool = createPool({ ...shared, max: CONNECTIONS.reads, applicationName: `${name}-reads` });
    this.lookupPool = createPool({ ...shared, max: CONNECTIONS.lookups, applicationName: `${name}-lookups` });
    this.auditPool = createPool({
      ...shared,
      max: CONNECTIONS.audits,
      statementTimeoutMs: AUDIT_TIMEOUT_MS,
      applicationName: `${name}-audits`,
    });
    this.codes = new CodeBook(this.lookupPool);
    this.rules = new RulesSource(this.lookupPool);
    const context: BatchContext = {
      pool: this.#pool,
      schema: options.schema,
      partitionCount: options.partitionCount,
      rules: this.rules,
      codes: this.codes,
      reservationKeys: new ReservationKeys(this.lookupPool),
      supplies: new KnownSupplies(),
      clock: new DatabaseClock(),
      onDecided: (how) => options.hooks?.onDecided?.(how),
      onChained: () => options.hooks?.onChained?.(),
      onCommitted: options.onCommitted ?? (() => undefined),
    };
    const limits = { ...LIMITS, ...options.limits };
    const laneOf = (place: 'main' | 'aside', aside: Lane | null): Lane => {
      const batches = new BatchRunner(context, place);
      return new Lane((commands, onSent) => batches.run(commands, onSent), limits, options.hooks, aside);
    };
    const lane = (): Lane => laneOf('main', laneOf('aside', null));
    this.#lanes = Array.from({ length: laneCount }, lane);
    this.#cartLane = lane();
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#reservations = new DataLoader((ids) => this.#findReservations(ids), {
      cache: false,
      maxBatchSize: 512,
      cacheKeyFn: ([owner, id]) => `${owner}\u0000${id}`,
    });
  }

  /** Holds units for the request's owner, the asker itself unless told. The answer to a repeated request is the first one's. */
  hold(asker: Asker, request: HoldRequest): Promise<Settled<ReservationView>> {
    return this.#settle(async (deadline) => {
      const command = await this.#resolved((rules) =>
        resolveHold({ ...asker, trace: currentTraceparent() }, request, rules, this.codes),
      );
      return this.submit(command, deadline);
    });
  }

  verb(asker: Asker, id: string, request: VerbRequest): Promise<Settled<ReservationView>> {
    const { actor, person } = asker;
    const { owner = actor, commandId } = request.body;
    return this.#settle(async (deadline) => {
      const found = await this.#reservations.load([owner, id]);
      if (!found) throw new Refusal('reservation.unknown', { reservation: id });
      const resolved = await this.#resolved((rules) => resolveVerb({ owner, id }, request, rules, this.codes));
      const { nodes, channels } = asker;
      const asked = { actor, person, id: commandId, limits: { nodes, channels }, trace: currentTraceparent() };
      const { key: reservationKey, skus } = found;
      return this.submit({ kind: 'verb', ...asked, reservationKey, skus, ...resolved }, deadline);
    });
  }

  recordMovements(asker: Asker, request: MovementsRequest): Promise<Settled<MovementsResult>> {
    return this.#settle(async (deadline) => {
      const command = await this.#resolved((rules) =>
        resolveMovements({ ...asker, trace: currentTraceparent() }, request, rules, this.codes),
      );
      return this.submit(command, deadline);
    });
  }

  /** Locks SKUs one by one, which reaps what is overdue there; with `heal` re-backs their shortfalls. */
  async tend(skus: readonly SkuKey[], heal: boolean): Promise<void> {
    await Promise.all(skus.map((sku) => this.submit({ kind: 'tend', skus: [sku], heal, trace: null })));
  }

  /** `deadline` in milliseconds of `performance.now()`. */
  submit(command: Command, deadline = performance.now() + this.#deadlineMs): Promise<Outcome> {
    const [only, ...more] = command.skus;
    const lane =
      only === undefined || more.length > 0
        ? this.#cartLane
        : (this.#lanes[only % this.#lanes.length] ?? this.#cartLane);
    return lane.submit(command, deadline);
  }

  /** Whether callers have asked something of it of late. */
  get isBusy(): boolean {
    return performance.now() - this.#askedAt < BUSY_FOR_MS;
  }

  get queueDepth(): number {
    return [...this.#lanes, this.#cartLane].reduce((sum, lane) => sum + lane.depth, 0);
  }

  /** Lets what is queued finish, then closes the connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#lanes, this.#cartLane].map((lane) => lane.idle()));
    await Promise.all([this.#pool, this.readPool, this.lookupPool, this.auditPool].map((pool) => pool.end()));
  }

  /** Codes are resolved with the rules at hand; only one that these do not know makes us look again. */
  async #resolved<T>(resolve: (rules: SellingRules) => Promise<T>): Promise<T> {
    try {
      return await resolve(this.rules.known);
    } catch (error) {
      const mayBeNew = error instanceof Refusal && (error.code === 'node.unknown' || error.code === 'channel.unknown');
      if (!mayBeNew) throw error;
      return resolve(await this.rules.current());
    }
  }

  async #settle<T>(run: (deadline: number) => Promise<Outcome>): Promise<Settled<T>> {
    this.#askedAt = performance.now();
    const deadline = performance.now() + this.#deadlineMs;
    for (;;) {
      try {
        return this.#told(await run(deadline));
      } catch (error) {
        if (error instanceof Refusal) return refuse(error.code, error.details);
        // A lane tries again by itself, so what comes here is a lookup before it, which changes nothing.
        if (!isTransient(error)) throw error;
        if (performance.now() + LOOKUP_RETRY_PAUSE_MS > deadline)
          throw new EngineError('service.unavailable', { cause: error });
        await pause(LOOKUP_RETRY_PAUSE_MS);
      }
    }
  }

  #told<T>(outcome: Outcome): Settled<T> {
    switch (outcome.status) {
      case 'done':
        return { ok: true, value: outcome.answer as T, replayed: outcome.replayed };
      case 'mismatch':
        return refuse('idempotency.mismatch');
      case 'future':
        return refuse('movement.in_future', { now: new Date(outcome.now).toISOString() });
      case 'rejected':
        return this.#explain(outcome.rejection);
    }
  }

  /** A rejection in the words of the API. */
  #explain(rejection: Rejection): Settled<never> {
    const views = new Views(this.rules.known, this.codes);
    if (rejection.code === 'stock.insufficient') {
      const shortages = rejection.shortages.map(({ sku, ...units }) => ({ sku: views.sku(sku), ...units }));
      return refuse(rejection.code, { shortages });
    }
    if (rejection.code === 'node.forbidden') return refuse(rejection.code, { node: views.node(rejection.node) });
    const { code, ...facts } = rejection;
    if (!('at' in facts) || facts.at === null) return refuse(code, { ...facts, at: undefined });
    return refuse(code, { at: { sku: views.sku(facts.at.sku), node: views.node(facts.at.node) } });
  }

  /** A reservation's SKUs never change, so they may be read before its gates are locked. */
  async #findReservations(
    ids: readonly (readonly [string, string])[],
  ): Promise<({ key: number; skus: SkuKey[] } | null)[]> {
    const { rows } = await this.lookupPool.query<{ position: number; reservation_key: number; skus: SkuKey[] }>({
      name: 'find-reservations',
      text: `SELECT k.position::int AS position, r.reservation_key,
                    ARRAY(SELECT (line->>0)::int FROM json_array_elements(r.lines) AS line) AS skus
               FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (owner, id, position)
               JOIN reservation r ON r.owner = k.owner AND r.id = k.id`,
      values: [ids.map(([owner]) => owner), ids.map(([, id]) => id)],
    });
    const found = new Map(rows.map((row) => [row.position - 1, { key: row.reservation_key, skus: row.skus }]));
    return ids.map((_, index) => found.get(index) ?? null);
  }
}

const refuse = (code: string, details: Readonly<Record<string, unknown>> = {}): Settled<never> => ({
  ok: false,
  code,
  details,
});
