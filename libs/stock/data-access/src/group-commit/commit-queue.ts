/**
 * Group commit. Commands queue; whenever the queue may, it takes everything that waits, up to a bound, as one batch. There
 * is no timer: a lone command goes at once, and load makes the batches.
 *
 * A queue is in one of these modes, and two batches at most are in flight:
 *
 *   idle       Nothing waits and nothing is in flight. A command makes it `gathering`.
 *   gathering  A batch will be taken when this turn of the event loop ends, so that whoever has just been answered, or has just
 *              arrived on a socket, joins it. Then it is `deciding`.
 *   deciding   A batch was taken and has not been sent. Once it is sent, or has ended without that, the queue is `writing`.
 *   writing    Every batch in flight was sent. With commands waiting and room for a second batch it is `gathering`; when the last
 *              batch has ended and nobody waits, `idle`.
 *
 * Commands whose gates somebody else holds wait in the contended queue, as do all that come for the same SKUs until none is
 * left there; the others of their batch go on. What else may go wrong, and what then follows, says `afterFailure`. A command that
 * is not settled by its deadline is answered `service.unavailable`, or `outcome.unknown` if a COMMIT was sent meanwhile.
 */
import assert from 'node:assert/strict';
import { types } from 'node:util';
import { type SpanStart, type Trace, currentTrace, inSharedSpan } from '@onepool/platform-tracing';
import type { SkuKey } from '@onepool/stock-domain';
import { EngineError } from '../engine/engine-error.ts';
import type { Command, Outcome } from '../requests/command.ts';
import { type AfterFailure, afterFailure } from './after-failure.ts';
import { Batch, type CommitBatch, type Committed } from './batch.ts';

export interface CommitQueueLimits {
  readonly commandsPerBatchMax: number;
  /** A single command may exceed it. Deciding a batch takes time in which its locks are held. */
  readonly linesPerBatchMax: number;
  readonly queueMax: number;
}

export interface CommitQueueHooks {
  readonly onBatch?: (commands: number, durationMs: number) => void;
  readonly onRetry?: (step: AfterFailure | 'contended') => void;
}

type Mode = 'idle' | 'gathering' | 'deciding' | 'writing';

const MAY_FOLLOW: Readonly<Record<Mode, readonly Mode[]>> = {
  idle: ['gathering'],
  gathering: ['deciding'],
  deciding: ['writing'],
  writing: ['gathering', 'idle'],
};

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

const RETRY_PAUSE_MS = 50;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** One batch is written while the next is decided. */
const IN_FLIGHT_MAX = 2;
/** Below this, half a batch costs as much as a whole one. */
const WORTH_HALVING = 16;

export class CommitQueue {
  #mode: Mode = 'idle';
  #waiting: Waiting[] = [];
  #inFlight = 0;
  /** Whether the last batch let the next one be decided before it was answered. */
  #overlaps = false;
  #onIdle: (() => void)[] = [];
  /** How many commands for each SKU are in the contended queue. */
  readonly #contended = new Map<SkuKey, number>();

  readonly #commit: CommitBatch;
  readonly #limits: CommitQueueLimits;
  readonly #hooks: CommitQueueHooks;
  readonly #contendedQueue: CommitQueue | null;

  /** A queue without a contended one puts commands whose gates are held at its own end. */
  constructor(
    commit: CommitBatch,
    limits: CommitQueueLimits,
    hooks: CommitQueueHooks = {},
    contendedQueue: CommitQueue | null = null,
  ) {
    this.#commit = commit;
    this.#limits = limits;
    this.#hooks = hooks;
    this.#contendedQueue = contendedQueue;
  }

  get depth(): number {
    return this.#waiting.length + (this.#contendedQueue?.depth ?? 0);
  }

  /** Queues a command; it is refused at once when the queue is so long that waiting would be in vain. */
  submit(command: Command, deadline: number): Promise<Outcome> {
    if (this.depth >= this.#limits.queueMax) return Promise.reject(new EngineError('service.overloaded'));
    return new Promise((resolve, reject) => {
      const entry = { command, deadline, resolve, reject, commitSent: false, trace: currentTrace() };
      const isContended = this.#contended.size > 0 && command.skus.some((sku) => this.#contended.has(sku));
      if (isContended) this.#waitForGates(entry);
      else this.#enqueue(entry);
    });
  }

  /** Resolves once nothing waits and nothing is in flight. */
  async idle(): Promise<void> {
    if (this.#mode !== 'idle') await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    await this.#contendedQueue?.idle();
  }

  #enqueue(entry: Waiting): void {
    this.#waiting.push(entry);
    this.#goOn();
  }

  #waitForGates(entry: Waiting): void {
    const queue = this.#contendedQueue;
    if (queue === null) return this.#enqueue(entry);
    const { skus } = entry.command;
    for (const sku of skus) this.#contended.set(sku, (this.#contended.get(sku) ?? 0) + 1);
    const leaving = <T>(answer: (value: T) => void): ((value: T) => void) => {
      return (value) => {
        for (const sku of skus) {
          const left = (this.#contended.get(sku) ?? 0) - 1;
          if (left > 0) this.#contended.set(sku, left);
          else this.#contended.delete(sku);
        }
        answer(value);
      };
    };
    queue.#enqueue({ ...entry, resolve: leaving(entry.resolve), reject: leaving(entry.reject) });
  }

  #enter(mode: Mode): void {
    assert(MAY_FOLLOW[this.#mode].includes(mode), `a commit queue that is ${this.#mode} cannot become ${mode}`);
    this.#mode = mode;
  }

  /** Leaves `idle` or `writing` if there is a reason to; in the other modes a batch is on its way to be sent already. */
  #goOn(): void {
    if (this.#mode !== 'idle' && this.#mode !== 'writing') return;
    if (this.#waiting.length > 0 && this.#inFlight < IN_FLIGHT_MAX) {
      this.#enter('gathering');
      setImmediate(() => void this.#takeBatch());
    } else if (this.#mode === 'writing' && this.#inFlight === 0) {
      this.#enter('idle');
      for (const resolve of this.#onIdle.splice(0)) resolve();
    }
  }

  async #takeBatch(): Promise<void> {
    this.#enter('deciding');
    let isDeciding = true;
    const decided = (overlaps: boolean): void => {
      if (!isDeciding) return;
      isDeciding = false;
      this.#overlaps = overlaps;
      this.#enter('writing');
      this.#goOn();
    };
    const taken = this.#nextBatch();
    this.#inFlight += 1;
    await this.#settle(taken, () => decided(true));
    this.#inFlight -= 1;
    decided(false);
    this.#goOn();
  }

  #nextBatch(): Waiting[] {
    // With nothing in flight, half of what waits goes ahead, so that the other half is decided meanwhile.
    const isHalved = this.#overlaps && this.#inFlight === 0 && this.#waiting.length >= WORTH_HALVING;
    const most = isHalved ? this.#waiting.length >> 1 : Number.POSITIVE_INFINITY;
    const commandsMax = Math.min(most, this.#limits.commandsPerBatchMax);
    let commands = 0;
    let lines = 0;
    for (const { command } of this.#waiting) {
      lines += linesOf(command);
      if (commands > 0 && (commands >= commandsMax || lines > this.#limits.linesPerBatchMax)) break;
      commands += 1;
    }
    return this.#waiting.splice(0, commands);
  }

  /** Answers every one of them, however often it takes. */
  async #settle(taken: readonly Waiting[], onSent: () => void): Promise<void> {
    let waiting = taken;
    for (let attempt = 0; ; attempt++) {
      waiting = dropOverdue(waiting);
      if (waiting.length === 0) return;
      const result = await this.#attempt(waiting, onSent);
      if (types.isNativeError(result)) {
        const step = afterFailure(result, attempt, waiting.length);
        this.#hooks.onRetry?.(step);
        if (step === 'split') return this.#split(waiting, result, onSent);
        if (step === 'unknown') for (const entry of waiting) entry.commitSent = true;
        if (step !== 'again') await pause(RETRY_PAUSE_MS);
      } else if (result.status === 'gates_held') {
        this.#hooks.onRetry?.('contended');
        waiting = this.#withoutContended(waiting, result.skus);
      } else {
        return answer(waiting, result.outcomes);
      }
    }
  }

  #withoutContended(waiting: readonly Waiting[], held: ReadonlySet<SkuKey>): readonly Waiting[] {
    const wantsHeld = ({ command }: Waiting): boolean => command.skus.some((sku) => held.has(sku));
    for (const entry of waiting) if (wantsHeld(entry)) this.#waitForGates(entry);
    return waiting.filter((entry) => !wantsHeld(entry));
  }

  /** What became of the batch, or the error with which it failed. */
  async #attempt(waiting: readonly Waiting[], onSent: () => void): Promise<Committed | Error> {
    const started = performance.now();
    const batch = new Batch(
      waiting.map(({ command }) => command),
      onSent,
    );
    const traces = waiting.map(({ trace }) => trace);
    try {
      const result = await inSharedSpan(commitSpan(waiting.length), traces, () => this.#commit(batch));
      if (result.status === 'committed') this.#hooks.onBatch?.(waiting.length, performance.now() - started);
      return result;
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

/** Healing and draining concern reservations that nobody counted beforehand, so each takes a batch of its own. */
function linesOf(command: Command): number {
  if (command.kind === 'drain' || (command.kind === 'tend' && command.heal)) return Number.POSITIVE_INFINITY;
  if (command.kind === 'allocate') return command.parts.reduce((moves, part) => moves + part.moves.length, 0);
  if (command.kind === 'receive') return command.lines.length + command.riding;
  if (command.kind === 'ship') return command.lines.reduce((sum, { riders }) => sum + 1 + riders.length, 0);
  return command.kind === 'movements' ? command.movements.length : command.skus.length;
}

const commitSpan = (commands: number): SpanStart => ({
  name: 'stock group commit',
  attributes: { 'db.system.name': 'postgresql', 'db.operation.batch.size': commands },
});

function answer(waiting: readonly Waiting[], outcomes: readonly Outcome[]): void {
  for (const [index, { resolve, reject }] of waiting.entries()) {
    const outcome = outcomes[index];
    if (outcome) resolve(outcome);
    else reject(new Error('Broken invariant: a command without an outcome'));
  }
}

function dropOverdue(waiting: readonly Waiting[]): readonly Waiting[] {
  const now = performance.now();
  return waiting.filter(({ deadline, commitSent, reject }) => {
    if (deadline > now) return true;
    reject(new EngineError(commitSent ? 'outcome.unknown' : 'service.unavailable'));
    return false;
  });
}
