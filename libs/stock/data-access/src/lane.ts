/**
 * Group commit. Commands queue; whenever the lane's connection is free, everything that waits (up to a bound) becomes
 * one batch. There is no timer: a lone command goes at once, and load makes the batches.
 *
 * Failures: a batch whose connection broke is sent again with the same keys, for effects are found by their keys; a
 * lost race for a key or a lock is decided anew; any other SQL error splits the batch until the guilty command stands
 * alone. What is not settled by its deadline is answered `service.unavailable`, or `outcome.unknown` if a COMMIT was
 * sent meanwhile.
 */
import { types } from 'node:util';
import { TransactionOutcomeUnknownError, classifyPgError } from '@onepool/platform-postgres';
import { EngineError } from './engine-error.ts';
import type { Command, Outcome } from './command.ts';

export interface LaneLimits {
  readonly commandsPerBatchMax: number;
  /** A single command may exceed it. Deciding a batch takes time in which its locks are held. */
  readonly linesPerBatchMax: number;
  readonly queueMax: number;
}

export interface LaneHooks {
  readonly onBatch?: (commands: number, durationMs: number) => void;
  readonly onRetry?: (reason: string) => void;
}

interface Waiting {
  readonly command: Command;
  /** Milliseconds of `performance.now()`. */
  readonly deadline: number;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
  commitSent: boolean;
}

/** Healing concerns reservations that nobody counted beforehand, so it takes a batch of its own. */
function linesOf(command: Command): number {
  if (command.kind === 'tend' && command.heal) return Number.POSITIVE_INFINITY;
  return command.kind === 'movements' ? command.movements.length : command.skus.length;
}

/**
 * Whoever has just been answered, or has just arrived on a socket, asks before the next batch is taken. Without it a lane
 * that is free takes the first of them alone, and callers fall into two halves that wait for each other's batches.
 */
const othersHaveSpoken = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const RETRY_PAUSE_MS = 50;
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

export class Lane {
  #queue: Waiting[] = [];
  #running = false;
  #idle: (() => void)[] = [];

  constructor(
    private readonly run: (commands: readonly Command[]) => Promise<readonly Outcome[]>,
    private readonly limits: LaneLimits,
    private readonly hooks: LaneHooks = {},
  ) {}

  get depth(): number {
    return this.#queue.length;
  }

  /** Queues a command; refused at once when the queue is so long that waiting would be in vain. */
  submit(command: Command, deadline: number): Promise<Outcome> {
    if (this.#queue.length >= this.limits.queueMax) return Promise.reject(new EngineError('service.overloaded'));
    return new Promise((resolve, reject) => {
      this.#queue.push({ command, deadline, resolve, reject, commitSent: false });
      if (!this.#running) void this.#drain();
    });
  }

  /** Resolves once nothing is queued or running. */
  idle(): Promise<void> {
    return this.#running ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  async #drain(): Promise<void> {
    this.#running = true;
    try {
      // Commands of the same tick join the first batch.
      do {
        await othersHaveSpoken();
        await this.#settle(this.#nextBatch());
      } while (this.#queue.length > 0);
    } finally {
      this.#running = false;
    }
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #nextBatch(): Waiting[] {
    let commands = 0;
    let lines = 0;
    for (const { command } of this.#queue) {
      lines += linesOf(command);
      if (commands > 0 && (commands >= this.limits.commandsPerBatchMax || lines > this.limits.linesPerBatchMax)) break;
      commands += 1;
    }
    const batch = this.#queue.slice(0, commands);
    this.#queue = this.#queue.slice(commands);
    return batch;
  }

  async #settle(batch: readonly Waiting[]): Promise<void> {
    let waiting = batch;
    for (let attempt = 0; ; attempt++) {
      waiting = dropOverdue(waiting);
      if (waiting.length === 0) return;
      const error = await this.#attempt(waiting);
      if (error === null) return;
      const next = nextStep(error, attempt, waiting.length);
      this.hooks.onRetry?.(next);
      if (next === 'split') return this.#split(waiting, error);
      if (next === 'unknown') for (const entry of waiting) entry.commitSent = true;
      if (next !== 'again') await pause(RETRY_PAUSE_MS);
    }
  }

  async #attempt(waiting: readonly Waiting[]): Promise<Error | null> {
    const started = performance.now();
    try {
      const outcomes = await this.run(waiting.map(({ command }) => command));
      for (const [index, { resolve, reject }] of waiting.entries()) {
        const outcome = outcomes[index];
        if (outcome) resolve(outcome);
        else reject(new Error('Broken invariant: a command without an outcome'));
      }
      this.hooks.onBatch?.(waiting.length, performance.now() - started);
      return null;
    } catch (error) {
      return types.isNativeError(error) ? error : new Error(String(error));
    }
  }

  async #split(waiting: readonly Waiting[], error: Error): Promise<void> {
    if (waiting.length === 1) return waiting[0]?.reject(error);
    const middle = Math.ceil(waiting.length / 2);
    await this.#settle(waiting.slice(0, middle));
    await this.#settle(waiting.slice(middle));
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

const KEY_RACES_MAX = 8;

function nextStep(error: Error, attempt: number, commands: number): 'again' | 'wait' | 'unknown' | 'split' {
  if (error instanceof TransactionOutcomeUnknownError) return 'unknown';
  switch (classifyPgError(error)) {
    case 'unique_violation':
      return attempt < KEY_RACES_MAX ? 'again' : 'split';
    case 'deadlock':
    case 'serialization':
    case 'connection':
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
