/**
 * The stock engine: holds, verbs and movements through group commit, and the housekeeping that keeps promises true.
 * Any number of engines may run on one database, which is the only arbiter.
 */
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
import { isTransient } from '@onepool/platform-postgres';
import { currentTraceparent } from '@onepool/platform-tracing';
import type pg from 'pg';
import { CommitQueues, type CommitQueuesOptions } from './commit-queues.ts';
import { type ConnectionOptions, DEADLINE_MS, EngineConnections } from './connections.ts';
import type { DecisionHooks, EngineContext } from './engine-context.ts';
import type { AnswerOf, Asker, Command, Outcome, Settled } from '../requests/command.ts';
import { DatabaseClock } from '../repository/database-clock.ts';
import { EngineError } from './engine-error.ts';
import type { CommitQueueHooks } from '../group-commit/commit-queue.ts';
import { type Answer, type Refusal, refuse } from '../requests/refusal.ts';
import { RememberedSupplies } from '../repository/remembered-supplies.ts';
import { SupplyKeys } from '../repository/supply-keys.ts';
import { ReservationKeys } from '../repository/reservation-keys.ts';
import { type FindReservation, allocationHash, demandSize, resolveGroup } from '../requests/resolve-allocate.ts';
import { reservationFinder } from '../repository/find-reservations.ts';
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

export interface EngineOptions extends ConnectionOptions, CommitQueuesOptions {
  /** Outbox partitions; the same number in every replica. */
  readonly partitionCount: number;
  /** For how long an order may think about short promises before they are given up, in hours. Default 24. */
  readonly shortHours?: number;
  readonly hooks?: EngineHooks;
  /** Called after a commit that wrote facts, for instance to wake the relay. */
  readonly onCommitted?: () => void;
  /** Called after a commit that has left units to be given out in slices, for instance to nudge housekeeping. */
  readonly onDeferred?: () => void;
}

const SHORT_HOURS = 24;
const HOUR_MS = 3_600_000;
const LOOKUP_RETRY_PAUSE_MS = 50;
const BUSY_FOR_MS = 100;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class StockEngine {
  readonly codes: CodeBook;
  readonly rules: RulesSource;
  readonly sources: SourceBook;
  /** What tells facts of its own beside commit queues. */
  readonly telling: TellContext;
  readonly #connections: EngineConnections;
  readonly #queues: CommitQueues;
  readonly #deadlineMs: number;
  #askedAt = Number.NEGATIVE_INFINITY;
  readonly #findReservation: FindReservation;

  constructor(options: EngineOptions) {
    this.#connections = new EngineConnections(options);
    this.codes = new CodeBook(this.lookupPool);
    this.rules = new RulesSource(this.lookupPool);
    this.sources = new SourceBook(this.lookupPool);
    const { schema, partitionCount } = options;
    this.telling = { schema, partitionCount, rules: this.rules };
    const context: EngineContext = {
      pool: this.#connections.writes,
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
    this.#queues = new CommitQueues(context, options);
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#findReservation = reservationFinder(this.lookupPool);
  }

  /** What callers read. It may be exhausted: nothing that commands, API keys or housekeeping need waits for it. */
  get readPool(): pg.Pool {
    return this.#connections.reads;
  }

  /** Short look-ups without which nothing goes on: API keys, SKUs, rules, reservations, housekeeping, readiness. */
  get lookupPool(): pg.Pool {
    return this.#connections.lookups;
  }

  /** Statements that take long by their nature: the proof of the ledger, counts, retention. */
  get auditPool(): pg.Pool {
    return this.#connections.audits;
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
        const found = await this.#findReservation(owner, id);
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
      const find = this.#findReservation;
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
        find: this.#findReservation,
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
    return this.#queues.submit(command, deadline);
  }

  /** Whether callers have asked something of it of late. */
  get isBusy(): boolean {
    return performance.now() - this.#askedAt < BUSY_FOR_MS;
  }

  get queueDepth(): number {
    return this.#queues.depth;
  }

  /** Lets what is queued finish, then closes the connections. */
  async close(): Promise<void> {
    await this.#queues.idle();
    await this.#connections.close();
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
}

/** What may come before what it undoes. */
const isUndo = ({ verb }: VerbRequest): boolean => verb === 'release' || verb === 'cancel';
const NO_BODY = Buffer.alloc(0);
