/**
 * The stock engine: holds, verbs and movements through group commit, and the housekeeping that keeps promises true.
 * Any number of engines may run on one database, which is the only arbiter.
 */
import { availableParallelism } from 'node:os';
import DataLoader from 'dataloader';
import type {
  AllocateRequest,
  AllocatedGroup,
  HoldRequest,
  JudgeInspections,
  JudgedInspection,
  MovementsRequest,
  MovementsResult,
  PutInbound,
  PutStops,
  ReceiptRequest,
  ReceiptResult,
  Reservation as ReservationView,
  ShipRequest,
  ShipResult,
  StoppedSkus,
} from '@onepool/contracts';
import type { SellingRules, SkuKey } from '@onepool/stock-domain';
import { createPool, isTransient } from '@onepool/platform-postgres';
import { currentTraceparent } from '@onepool/platform-tracing';
import type pg from 'pg';
import { BatchCommits } from '../group-commit/batch-commits.ts';
import type { DecisionHooks, EngineContext } from './engine-context.ts';
import type { AnswerOf, Asker, Command, Outcome, Settled } from '../requests/command.ts';
import { DatabaseClock } from '../repository/database-clock.ts';
import { EngineError } from './engine-error.ts';
import { CommitQueue, type CommitQueueHooks, type CommitQueueLimits } from '../group-commit/commit-queue.ts';
import type { GatePatience } from '../repository/gates.ts';
import { type Answer, type Refusal, refuse } from '../requests/refusal.ts';
import { RememberedSupplies } from '../repository/remembered-supplies.ts';
import { SupplyKeys } from '../repository/supply-keys.ts';
import { ReservationKeys } from '../repository/reservation-keys.ts';
import { type FoundReservation, allocationHash, demandSize, resolveGroup } from '../requests/resolve-allocate.ts';
import { claimBody } from '../repository/claim-body.ts';
import { findFulfilments } from '../repository/told.ts';
import { type Caller, type FindFulfilments, resolveHold, resolveMovements } from '../requests/resolve.ts';
import { type NamedLine, findAnnounced, keysOfLines } from '../repository/inbound-lines.ts';
import { resolveExpect, resolveReceive } from '../requests/resolve-inbound.ts';
import { findInspections, inspectionKey } from '../repository/inspections.ts';
import { judgementsHash, resolveJudgement } from '../requests/resolve-judgement.ts';
import { resolveShip } from '../requests/resolve-ship.ts';
import { resolveStops } from '../requests/resolve-stops.ts';
import { type VerbRequest, resolveVerb } from '../requests/resolve-verb.ts';
import { RulesSource } from '../catalogue/rules-source.ts';
import { SourceBook } from '../sources/source-book.ts';
import type { TellContext } from '../unit-of-work/tell-closed.ts';
import { CodeBook } from '../catalogue/code-book.ts';

export interface EngineHooks extends CommitQueueHooks, DecisionHooks {}

export interface EngineOptions {
  readonly url: string;
  readonly schema: string;
  /** Outbox partitions; the same number in every replica. */
  readonly partitionCount: number;
  /** Commit queues for single-SKU commands; one more serves carts. Default {@link QUEUES_DEFAULT}. */
  readonly queues?: number;
  /** How long a command may take before it is answered 503, a fifth of it for a new connection. Default 10,000. */
  readonly deadlineMs?: number;
  /** How long a stopped replica may keep its locks. Default 1,000. */
  readonly idleInTransactionTimeoutMs?: number;
  /** For how long an order may think about short promises before they are given up, in hours. Default 24. */
  readonly shortHours?: number;
  readonly limits?: Partial<CommitQueueLimits>;
  readonly hooks?: EngineHooks;
  /** Called after a commit that wrote facts, for instance to wake the relay. */
  readonly onCommitted?: () => void;
  /** Called after a commit that has left units to be given out in slices, for instance to nudge housekeeping. */
  readonly onDeferred?: () => void;
  /** Begins the names of its sessions in `pg_stat_activity`, to tell replicas apart; the schema unless told. */
  readonly name?: string;
  readonly onConnectionError?: (error: Error) => void;
}

const DEADLINE_MS = 10_000;
const SHORT_HOURS = 24;
const HOUR_MS = 3_600_000;
const LOOKUP_RETRY_PAUSE_MS = 50;
const BUSY_FOR_MS = 100;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

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

const LIMITS: CommitQueueLimits = { commandsPerBatchMax: 512, linesPerBatchMax: 2_000, queueMax: 20_000 };

export class StockEngine {
  readonly codes: CodeBook;
  readonly rules: RulesSource;
  readonly sources: SourceBook;
  /** What tells facts of its own beside commit queues. */
  readonly telling: TellContext;
  /** For commit queues only; reads must not wait behind them. */
  readonly #pool: pg.Pool;
  /** What callers read. It may be exhausted: nothing that commands, API keys or housekeeping need waits for it. */
  readonly readPool: pg.Pool;
  /** Short look-ups without which nothing goes on: API keys, SKUs, rules, reservations, housekeeping, readiness. */
  readonly lookupPool: pg.Pool;
  /** Statements that take long by their nature: the proof of the ledger, counts, retention. */
  readonly auditPool: pg.Pool;
  readonly #queues: readonly CommitQueue[];
  readonly #cartQueue: CommitQueue;
  /** For what concerns thousands of promises of a SKU: callers that want others do not wait behind it. */
  readonly #tendQueue: CommitQueue;
  readonly #deadlineMs: number;
  #askedAt = Number.NEGATIVE_INFINITY;
  readonly #reservations: DataLoader<readonly [string, string], { key: number; skus: SkuKey[] } | null, string>;

  constructor(options: EngineOptions) {
    const queueCount = options.queues ?? QUEUES_DEFAULT;
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
      max: queueConnections(queueCount),
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
    this.sources = new SourceBook(this.lookupPool);
    const { schema, partitionCount } = options;
    this.telling = { schema, partitionCount, rules: this.rules };
    const context: EngineContext = {
      pool: this.#pool,
      schema: options.schema,
      partitionCount: options.partitionCount,
      rules: this.rules,
      codes: this.codes,
      reservationKeys: new ReservationKeys(this.lookupPool),
      supplyKeys: new SupplyKeys(this.lookupPool),
      supplies: new RememberedSupplies(),
      clock: new DatabaseClock(),
      shortMs: (options.shortHours ?? SHORT_HOURS) * HOUR_MS,
      hooks: options.hooks ?? {},
      onCommitted: options.onCommitted ?? (() => undefined),
      onDeferred: options.onDeferred ?? (() => undefined),
    };
    const limits = { ...LIMITS, ...options.limits };
    const queueOf = (patience: GatePatience, contended: CommitQueue | null): CommitQueue => {
      const commits = new BatchCommits(context, patience);
      return new CommitQueue((batch) => commits.commit(batch), limits, options.hooks, contended);
    };
    const queue = (): CommitQueue => queueOf('short', queueOf('long', null));
    this.#queues = Array.from({ length: queueCount }, queue);
    this.#cartQueue = queue();
    this.#tendQueue = queue();
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#reservations = new DataLoader((ids) => this.#findReservations(ids), {
      cache: false,
      maxBatchSize: 512,
      cacheKeyFn: ([owner, id]) => `${owner}\u0000${id}`,
    });
  }

  /** Holds units for the request's owner, the asker itself unless told. The answer to a repeated request is the first one's. */
  hold(asker: Asker, request: HoldRequest): Promise<Settled<ReservationView, Refusal>> {
    return this.#settle(async (deadline) => {
      const caller = await this.#callerOf(asker);
      const command = await this.#resolved((rules) => resolveHold(caller, request, rules, this.codes));
      return command.ok ? this.#decided(command.value, deadline) : command;
    });
  }

  verb(asker: Asker, id: string, request: VerbRequest): Promise<Settled<ReservationView, Refusal>> {
    const { actor, person, nodes, channels } = asker;
    const { owner = actor, commandId } = request.body;
    return this.#settle(async (deadline) => {
      const { transmission, trace, sourceKey } = await this.#callerOf(asker);
      for (;;) {
        const found = await this.#reservations.load([owner, id]);
        if (!found && !isUndo(request)) return refuse('reservation.unknown', { reservation: id });
        const asked = { actor, sourceKey, person, id: commandId, trace };
        if (!found) {
          const undo = { kind: 'tombstone', ...asked, owner, reservation: id, skus: [], bodyHash: NO_BODY } as const;
          const undone = await this.submit(undo, deadline);
          // Whoever made it meanwhile has it undone as any other.
          if (undone.ok && undone.value === null) continue;
          return undone.ok ? refuse('reservation.unknown', { reservation: id, undone: true }) : undone;
        }
        const resolved = await this.#resolved((rules) =>
          resolveVerb(request, { actor, owner, id, transmission, rules, book: this.codes }),
        );
        if (!resolved.ok) return resolved;
        const { verb, bodyHash, newSkus } = resolved.value;
        const skus = newSkus.length === 0 ? found.skus : [...new Set([...found.skus, ...newSkus])];
        const on = { reservationKey: found.key, skus, verb, bodyHash, limits: { nodes, channels } };
        return this.#decided({ kind: 'verb', ...asked, ...on }, deadline);
      }
    });
  }

  /**
   * Moves units of many reservations. Each group is decided by itself, and what became of it is told in its place; only what concerns
   * the whole request is refused as such.
   */
  allocate(asker: Asker, request: AllocateRequest): Promise<Settled<readonly Answer<AllocatedGroup>[], Refusal>> {
    return this.#settle(async (deadline) => {
      const caller = await this.#callerOf(asker);
      const size = demandSize(request);
      if (!size.ok) return size;
      const hash = allocationHash(request, caller.actor);
      const claimed = await claimBody(this.lookupPool, { ...caller, id: request.commandId, bodyHash: hash }, request);
      if (!claimed.ok) return claimed;
      const find = (owner: string, id: string): Promise<FoundReservation | null> =>
        this.#reservations.load([owner, id]);
      return this.#decidedEach<AllocatedGroup>(request.groups.length, deadline, (group, rules) =>
        resolveGroup({ caller, request, hash, rules, book: this.codes, find }, group),
      );
    });
  }

  /** Says of units that wait for approval whether they are sound. Each judgement is decided by itself, as groups of an allocation are. */
  judge(asker: Asker, request: JudgeInspections): Promise<Settled<readonly Answer<JudgedInspection>[], Refusal>> {
    return this.#settle(async (deadline) => {
      const caller = await this.#callerOf(asker);
      const { id, judgements } = request;
      const hash = judgementsHash(request);
      const claimed = await claimBody(this.lookupPool, { ...caller, id, bodyHash: hash }, { groups: judgements });
      if (!claimed.ok) return claimed;
      const keys = judgements.map(({ inspection }) => inspectionKey(inspection));
      const places = await findInspections(this.lookupPool, keys);
      return this.#decidedEach<JudgedInspection>(judgements.length, deadline, async (index, rules) =>
        resolveJudgement({ caller, request, hash, rules, places }, index),
      );
    });
  }

  recordMovements(asker: Asker, request: MovementsRequest): Promise<Settled<MovementsResult, Refusal>> {
    return this.#settle(async (deadline) => {
      const caller = await this.#callerOf(asker);
      const source = await this.sources.keyOf({ principal: asker.actor, name: request.source });
      const find: FindFulfilments = (fulfilments) => findFulfilments(this.lookupPool, fulfilments);
      const command = await this.#resolved((rules) =>
        resolveMovements(caller, request, rules, this.codes, source, find),
      );
      return command.ok ? this.#decided(command.value, deadline) : command;
    });
  }

  /** Once it is answered, no replica grants what is stopped: each SKU has another version since. */
  putStops(asker: Asker, request: PutStops): Promise<Settled<StoppedSkus, Refusal>> {
    return this.#settle(async (deadline) => {
      const caller = await this.#callerOf(asker);
      const commands = await this.#resolved((rules) => resolveStops(caller, request, rules, this.codes));
      if (!commands.ok) return commands;
      const stopping = commands.value.map((command) => this.#decided<AnswerOf<'stop'>>(command, deadline));
      const skus: StoppedSkus['skus'] = [];
      for (const [index, stopped] of (await Promise.all(stopping)).entries()) {
        if (!stopped.ok) return stopped;
        const [sku = 0] = commands.value[index]?.skus ?? [];
        skus.push({ sku: this.codes.codeOf(sku), version: stopped.value.version });
      }
      return { ok: true, value: { skus }, replayed: false };
    });
  }

  /** Announces a receipt, or says something else of its lines; sent again, it changes nothing. */
  putInbound(asker: Asker, request: PutInbound & { readonly id: string }): Promise<Settled<null, Refusal>> {
    return this.#settle(async (deadline) => {
      const caller = await this.#callerOf(asker);
      const named = { brings: 'receipt', actor: asker.actor, id: request.id } as const;
      const keysOf = (lines: readonly NamedLine[]) => keysOfLines(this.lookupPool, named, lines);
      const command = await this.#resolved((rules) => resolveExpect(caller, request, rules, this.codes, keysOf));
      return command.ok ? this.#decided<null>(command.value, deadline) : command;
    });
  }

  /** Records units that have arrived. */
  receive(asker: Asker, request: ReceiptRequest): Promise<Settled<ReceiptResult, Refusal>> {
    return this.#settle(async (deadline) => {
      const caller = await this.#callerOf(asker);
      const source = await this.sources.keyOf({ principal: asker.actor, name: request.source });
      const find = (owner: string, id: string) => findAnnounced(this.lookupPool, owner, id);
      const command = await this.#resolved((rules) => resolveReceive(caller, request, rules, this.codes, source, find));
      return command.ok ? this.#decided(command.value, deadline) : command;
    });
  }

  /** Records units that have left with a leg of a transfer. */
  ship(asker: Asker, request: ShipRequest): Promise<Settled<ShipResult, Refusal>> {
    return this.#settle(async (deadline) => {
      const caller = await this.#callerOf(asker);
      const { source = null, transfer } = request;
      const named = { brings: 'transfer', actor: asker.actor, id: transfer } as const;
      const context = {
        caller,
        request,
        book: this.codes,
        sourceKey:
          source === null ? caller.sourceKey : await this.sources.keyOf({ principal: asker.actor, name: source }),
        find: (owner: string, id: string) => this.#reservations.load([owner, id]),
        keysOf: (lines: readonly NamedLine[]) => keysOfLines(this.lookupPool, named, lines),
      };
      const command = await this.#resolved((rules) => resolveShip({ ...context, rules }));
      return command.ok ? this.#decided(command.value, deadline) : command;
    });
  }

  /** What is asked arrives now. */
  async #callerOf({ sentAt = null, ...asker }: Asker): Promise<Caller> {
    const transmission = { arrivedAt: Date.now(), sentAt };
    const sourceKey = await this.sources.keyOf({ principal: asker.actor, name: '' });
    return { ...asker, sourceKey, trace: currentTraceparent(), transmission };
  }

  /**
   * Locks SKUs one by one, which reaps what is overdue there; with `heal` moves short promises to where units are, and gives units to those who
   * wait. Answers whether another look would go on with what is left at once.
   */
  async tend(skus: readonly SkuKey[], heal: boolean): Promise<boolean> {
    const tending = skus.map((sku) => this.submit({ kind: 'tend', skus: [sku], heal, trace: null }));
    const outcomes = (await Promise.all(tending)) as readonly Settled<AnswerOf<'tend'>, Refusal>[];
    return outcomes.some((outcome) => outcome.ok && outcome.value.goesOn);
  }

  /** Offers what is free of a SKU to those who wait, for when it is not units that have changed but who may have them. */
  async offer(sku: SkuKey): Promise<void> {
    await this.submit({ kind: 'tend', skus: [sku], heal: true, offersAll: true, trace: null });
  }

  /** Sends promises of a SKU elsewhere that may not stay where they are, as many as one look takes. */
  async drain(sku: SkuKey): Promise<void> {
    await this.submit({ kind: 'drain', skus: [sku], trace: null });
  }

  /** `deadline` in milliseconds of `performance.now()`. */
  submit(command: Command, deadline = performance.now() + this.#deadlineMs): Promise<Outcome> {
    return this.#queueOf(command).submit(command, deadline);
  }

  #queueOf(command: Command): CommitQueue {
    if (command.kind === 'drain' || (command.kind === 'tend' && command.heal)) return this.#tendQueue;
    const [only, ...more] = command.skus;
    if (only === undefined || more.length > 0) return this.#cartQueue;
    return this.#queues[only % this.#queues.length] ?? this.#cartQueue;
  }

  get #allQueues(): readonly CommitQueue[] {
    return [...this.#queues, this.#cartQueue, this.#tendQueue];
  }

  /** Whether callers have asked something of it of late. */
  get isBusy(): boolean {
    return performance.now() - this.#askedAt < BUSY_FOR_MS;
  }

  get queueDepth(): number {
    return this.#allQueues.reduce((sum, queue) => sum + queue.depth, 0);
  }

  /** Lets what is queued finish, then closes the connections. */
  async close(): Promise<void> {
    await Promise.all(this.#allQueues.map((queue) => queue.idle()));
    await Promise.all([this.#pool, this.readPool, this.lookupPool, this.auditPool].map((pool) => pool.end()));
  }

  /** Codes are resolved with the rules at hand; only one that these do not know makes us look again. */
  async #resolved<T>(resolve: (rules: SellingRules) => Promise<Answer<T>>): Promise<Answer<T>> {
    const resolved = await resolve(this.rules.known);
    const mayBeNew =
      !resolved.ok && (resolved.rejection.code === 'node.unknown' || resolved.rejection.code === 'channel.unknown');
    return mayBeNew ? resolve(await this.rules.current()) : resolved;
  }

  async #decided<T>(command: Command, deadline: number): Promise<Settled<T, Refusal>> {
    const outcome = await this.submit(command, deadline);
    return outcome.ok ? { ...outcome, value: outcome.value as T } : outcome;
  }

  /** What becomes of each group of a request. Whoever has given its id another body before finds that in each of them. */
  async #decidedEach<T>(
    count: number,
    deadline: number,
    resolve: (group: number, rules: SellingRules) => Promise<Answer<Command>>,
  ): Promise<Settled<readonly Answer<T>[], Refusal>> {
    const groups = await Promise.all(
      Array.from({ length: count }, async (_, group): Promise<Answer<T>> => {
        const command = await this.#resolved((rules) => resolve(group, rules));
        return command.ok ? this.#decided<T>(command.value, deadline) : command;
      }),
    );
    const mismatch = groups.find((group) => !group.ok && group.rejection.code === 'idempotency.mismatch');
    if (mismatch && !mismatch.ok) return mismatch;
    return { ok: true, value: groups, replayed: false };
  }

  async #settle<T>(run: (deadline: number) => Promise<Settled<T, Refusal>>): Promise<Settled<T, Refusal>> {
    this.#askedAt = performance.now();
    const deadline = performance.now() + this.#deadlineMs;
    for (;;) {
      try {
        return await run(deadline);
      } catch (error) {
        // A commit queue tries again by itself, so what comes here is a look-up before it, which changes nothing.
        if (!isTransient(error)) throw error;
        if (performance.now() + LOOKUP_RETRY_PAUSE_MS > deadline)
          throw new EngineError('service.unavailable', { cause: error });
        await pause(LOOKUP_RETRY_PAUSE_MS);
      }
    }
  }

  /** Its SKUs may be read before its gates are locked: they only ever become more, and that is noticed. */
  async #findReservations(
    ids: readonly (readonly [string, string])[],
  ): Promise<({ key: number; skus: SkuKey[] } | null)[]> {
    const { rows } = await this.lookupPool.query<{ position: number; reservation_key: number; skus: SkuKey[] }>({
      name: 'find-reservations',
      text: `SELECT k.position::int AS position, r.reservation_key,
                    ARRAY(SELECT (line->>1)::int FROM json_array_elements(r.lines) AS line
                           UNION SELECT (line->>2)::int FROM json_array_elements(r.amended) AS line) AS skus
               FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (owner, id, position)
               JOIN reservation r ON r.owner = k.owner AND r.id = k.id AND r.tombstone_by IS NULL`,
      values: [ids.map(([owner]) => owner), ids.map(([, id]) => id)],
    });
    const found = new Map(rows.map((row) => [row.position - 1, { key: row.reservation_key, skus: row.skus }]));
    return ids.map((_, index) => found.get(index) ?? null);
  }
}

/** What may come before what it undoes. */
const isUndo = ({ verb }: VerbRequest): boolean => verb === 'release' || verb === 'cancel';
const NO_BODY = Buffer.alloc(0);
