/**
 * Group commit. Commands queue; whenever the lane is free, everything that waits (up to a bound) becomes
 * one batch. There is no timer: a lone command goes at once, and load makes the batches. While a batch is being written
 * the next is decided, if the one before says that it may.
 *
 * Failures: a batch whose connection broke is sent again with the same keys, for effects are found by their keys; a
 * lost race for a key or a lock is decided anew; commands whose gates somebody holds wait aside, and the others of their
 * batch go on; any other SQL error splits the batch until the guilty command stands alone. What is not settled by its
 * deadline is answered `service.unavailable`, or `outcome.unknown` if a COMMIT was sent meanwhile.
 */
import { types } from 'node:util';
import { TransactionOutcomeUnknownError, classifyPgError } from '@onepool/platform-postgres';
import { type SpanStart, type Trace, currentTrace, inSharedSpan } from '@onepool/platform-tracing';
import type { SkuKey } from '@onepool/stock-domain';
import type { Command, Outcome } from './command.ts';
import { EngineError } from './engine-error.ts';
import { GatesHeldError } from './held-gates.ts';

export interface LaneLimits {
  readonly commandsPerBatchMax: number;
  /** A single command may exceed it. Deciding a batch takes time in which its locks are held. */
  readonly linesPerBatchMax: number;
  readonly queueMax: number;
}

export interface LaneHooks {
  readonly onBatch?: (commands: number, durationMs: number) => void;
  readonly onRetry?: (reason: string) => void;
  /** How a batch was decided: on what was remembered or read, or under locks. */
  readonly onDecided?: (how: 'optimistic' | 'locked') => void;
  /** A batch was sent that rests on what another, still under way, will have written. */
  readonly onChained?: () => void;
}

interface Waiting {
  readonly command: Command;
  /** Milliseconds of `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  commitSent: boolean;
  /** Of the request that waits. */
  readonly trace: Trace | undefined;
}

/** Healing concerns reservations that nobody counted beforehand, so it takes a batch of its own. */
function linesOf(command: Command): number {
  if (command.kind === 'tend' && command.heal) return Number.POSITIVE_INFINITY;
  return command.kind === 'movements' ? command.movements.length : command.skus.length;
}

const RETRY_PAUSE_MS = 50;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Runs a batch; calls `onSent` if the next may be decided although this one has not been answered. */
export type RunBatch = (commands: readonly Command[], onSent: () => void) => Promise<readonly Outcome[]>;

/** One batch is written while the next is decided. */
const UNDER_WAY_MAX = 2;
/** Below this, half a batch costs as much as a whole one. */
const WORTH_HALVING = 16;

export class Lane {
  #queue: Waiting[] = [];
  #underWay = 0;
  /** A batch has been taken, or is about to be, and has not been sent yet. */
  #deciding = false;
  /** Whether the last batch let the next one be decided before it was answered. */
  #overlaps = false;
  #idle: (() => void)[] = [];

  /** Of the SKUs of which commands are aside: how many are. Whoever wants one of them goes there, too. */
  readonly #aside = new Map<SkuKey, number>();

  readonly #run: RunBatch;
  readonly #limits: LaneLimits;
  readonly #hooks: LaneHooks;
  readonly #asideLane: Lane | null;

  /**
   * `aside` is where commands wait whose gates are held, and all that follow for the same SKUs until none is left there. A
   * lane without it puts them at the end of its own queue.
   */
  constructor(run: RunBatch, limits: LaneLimits, hooks: LaneHooks = {}, aside: Lane | null = null) {
    this.#run = run;
    this.#limits = limits;
    this.#hooks = hooks;
    this.#asideLane = aside;
  }

  get depth(): number {
    return this.#queue.length + (this.#asideLane?.depth ?? 0);
  }

  /** Queues a command; refused at once when the queue is so long that waiting would be in vain. */
  submit(command: Command, deadline: number): Promise<Outcome> {
    if (this.depth >= this.#limits.queueMax) return Promise.reject(new EngineError('service.overloaded'));
    return new Promise((resolve, reject) => {
      const entry = { command, deadline, resolve, reject, commitSent: false, trace: currentTrace() };
      if (this.#aside.size > 0 && command.skus.some((sku) => this.#aside.has(sku))) this.#putAside(entry);
      else this.#take(entry);
    });
  }

  #take(entry: Waiting): void {
    this.#queue.push(entry);
    this.#goOn();
  }

  #putAside(entry: Waiting): void {
    const aside = this.#asideLane;
    if (aside === null) return this.#take(entry);
    const { skus } = entry.command;
    for (const sku of skus) this.#aside.set(sku, (this.#aside.get(sku) ?? 0) + 1);
    const settled = <T>(answer: (value: T) => void): ((value: T) => void) => {
      return (value) => {
        for (const sku of skus) {
          const left = (this.#aside.get(sku) ?? 0) - 1;
          if (left > 0) this.#aside.set(sku, left);
          else this.#aside.delete(sku);
        }
        answer(value);
      };
    };
    aside.#take({ ...entry, resolve: settled(entry.resolve), reject: settled(entry.reject) });
  }

  /** Resolves once nothing is queued or running. */
  async idle(): Promise<void> {
    if (!this.#isIdle) await new Promise<void>((resolve) => this.#idle.push(resolve));
    await this.#asideLane?.idle();
  }

  get #isIdle(): boolean {
    return this.#underWay === 0 && this.#queue.length === 0;
  }

  /**
   * Takes the next batch if it may. Whoever has just been answered, or has just arrived on a socket, asks before it is
   * taken: else a lane that is free would take the first of them alone.
   */
  #goOn(): void {
    if (this.#deciding || this.#queue.length === 0 || this.#underWay >= UNDER_WAY_MAX) return;
    this.#deciding = true;
    setImmediate(() => void this.#takeBatch());
  }

  async #takeBatch(): Promise<void> {
    let isDeciding = true;
    const decided = (isSent: boolean): void => {
      if (!isDeciding) return;
      isDeciding = false;
      this.#deciding = false;
      this.#overlaps = isSent;
      this.#goOn();
    };
    const batch = this.#nextBatch();
    this.#underWay += 1;
    await this.#settle(batch, () => decided(true));
    this.#underWay -= 1;
    decided(false);
    this.#goOn();
    if (this.#isIdle) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #nextBatch(): Waiting[] {
    // With nothing under way, half of what waits goes ahead, so that the other half is decided meanwhile.
    const isHalved = this.#overlaps && this.#underWay === 0 && this.#queue.length >= WORTH_HALVING;
    const most = isHalved ? this.#queue.length >> 1 : Number.POSITIVE_INFINITY;
    const commandsMax = Math.min(most, this.#limits.commandsPerBatchMax);
    let commands = 0;
    let lines = 0;
    for (const { command } of this.#queue) {
      lines += linesOf(command);
      if (commands > 0 && (commands >= commandsMax || lines > this.#limits.linesPerBatchMax)) break;
      commands += 1;
    }
    return this.#queue.splice(0, commands);
  }

  async #settle(batch: readonly Waiting[], onSent: () => void): Promise<void> {
    let waiting = batch;
    for (let attempt = 0; ; attempt++) {
      waiting = dropOverdue(waiting);
      if (waiting.length === 0) return;
      const error = await this.#attempt(waiting, onSent);
      if (error === null) return;
      if (error instanceof GatesHeldError) {
        this.#hooks.onRetry?.('aside');
        const { skus } = error;
        const isHeld = ({ command }: Waiting): boolean => command.skus.some((sku) => skus.has(sku));
        for (const entry of waiting) if (isHeld(entry)) this.#putAside(entry);
        waiting = waiting.filter((entry) => !isHeld(entry));
        continue;
      }
      const next = nextStep(error, attempt, waiting.length);
      this.#hooks.onRetry?.(next);
      if (next === 'split') return this.#split(waiting, error, onSent);
      if (next === 'unknown') for (const entry of waiting) entry.commitSent = true;
      if (next !== 'again') await pause(RETRY_PAUSE_MS);
    }
  }

  async #attempt(waiting: readonly Waiting[], onSent: () => void): Promise<Error | null> {
    const started = performance.now();
    try {
      const commands = waiting.map(({ command }) => command);
      const outcomes = await inSharedSpan(commitSpan(commands.length), tracesOf(waiting), () =>
        this.#run(commands, onSent),
      );
      for (const [index, { resolve, reject }] of waiting.entries()) {
        const outcome = outcomes[index];
        if (outcome) resolve(outcome);
        else reject(new Error('Broken invariant: a command without an outcome'));
      }
      this.#hooks.onBatch?.(waiting.length, performance.now() - started);
      return null;
    } catch (error) {
      return types.isNativeError(error) ? error : new Error(String(error));
    }
  }

  async #split(waiting: readonly Waiting[], error: Error, onSent: () => void): Promise<void> {
    if (waiting.length === 1) return waiting[0]?.reject(error);
    const middle = Math.ceil(waiting.length / 2);
    await this.#settle(waiting.slice(0, middle), onSent);
    await this.#settle(waiting.slice(middle), onSent);
  }
}

const tracesOf = (waiting: readonly Waiting[]): (Trace | undefined)[] => waiting.map(({ trace }) => trace);

const commitSpan = (commands: number): SpanStart => ({
  name: 'stock group commit',
  attributes: { 'db.system.name': 'postgresql', 'db.operation.batch.size': commands },
});

function dropOverdue(waiting: readonly Waiting[]): readonly Waiting[] {
  const now = performance.now();
  return waiting.filter(({ deadline, commitSent, reject }) => {
    if (deadline > now) return true;
    reject(new EngineError(commitSent ? 'outcome.unknown' : 'service.unavailable'));
    return false;
  });
}

const KEY_RACES_MAX = 8;

function nextStep(error: Error, attempt: number, commands: number): 'again' | 'wait' | 'unknown' | 'split' {
  if (error instanceof TransactionOutcomeUnknownError) return 'unknown';
  switch (classifyPgError(error)) {
    case 'unique_violation':
      return attempt < KEY_RACES_MAX ? 'again' : 'split';
    case 'deadlock':
    case 'serialization':
    case 'connection':
    case 'resources':
      return 'wait';
    // One command that is too heavy, or whose gate is held elsewhere, must not take its neighbours along.
    case 'statement_timeout':
      return commands > 1 ? 'split' : 'wait';
    case 'lock_timeout':
      return commands > 1 && attempt > 0 ? 'split' : 'wait';
    case 'check_violation':
    case 'other':
      return 'split';
  }
}
