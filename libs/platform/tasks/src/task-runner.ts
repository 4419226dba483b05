/**
 * Runs the tasks of a schema. A task is taken by lease, so that any number of replicas share them; an attempt that fails is
 * tried again after a pause that doubles; one that is refused, or not done by its deadline, is undone where it can be, and
 * ends. An attempt whose lease is over may still be under way elsewhere: its result is written nowhere, and the call it made
 * has the same id as the next.
 */
import { randomUUID } from 'node:crypto';
import { inSpan } from '@onepool/platform-tracing';
import type pg from 'pg';
import { pauseAfterMs } from './back-off.ts';
import type { Task, TaskKind } from './task.ts';
import { type ClaimedTask, TaskStore } from './task-store.ts';

export interface TaskRunnerOptions {
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly kinds: readonly TaskKind[];
  /** Attempts at once, of this replica; 16 unless given. */
  readonly atOnceMax?: number;
  /** How often it looks when nobody nudges it, in milliseconds; 1,000 unless given. */
  readonly intervalMs?: number;
  /** In [0, 1); spreads repeated attempts. */
  readonly random?: () => number;
  /** Told of every attempt that failed, and of looks that did. */
  readonly onError?: (error: unknown, task?: Task) => void;
}

const AT_ONCE_MAX = 16;
const INTERVAL_MS = 1_000;
const TIMEOUT_MS = 10_000;
/** Between the end of an attempt and that of its lease there is time to write the result. */
const LEASE_SLACK_MS = 10_000;

export class TaskRunner {
  readonly #store: TaskStore;
  readonly #kinds: ReadonlyMap<string, TaskKind>;
  readonly #options: TaskRunnerOptions;
  readonly #leaseMs: number;
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  /** Somebody nudged while a look was under way. */
  #lookAgain = false;

  constructor(options: TaskRunnerOptions) {
    this.#options = options;
    this.#store = new TaskStore(options.pool, options.schema);
    this.#kinds = new Map(options.kinds.map((kind) => [kind.kind, kind]));
    this.#leaseMs = Math.max(...options.kinds.map(({ timeoutMs = TIMEOUT_MS }) => timeoutMs), 0) + LEASE_SLACK_MS;
  }

  start(): void {
    this.nudge();
  }

  /** Looks at once for tasks that are due. Call it after a transaction that wrote some has committed. */
  nudge(): void {
    if (this.#stopping.signal.aborted || this.#kinds.size === 0) return;
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#lookAgain) {
        this.#lookAgain = false;
        this.nudge();
      } else this.#schedule();
    });
  }

  /** Begins nothing more, tells attempts under way to end, and waits for them. What they leave open is taken up elsewhere. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#looking;
    await Promise.all(this.#running);
  }

  #schedule(): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => this.nudge(), this.#options.intervalMs ?? INTERVAL_MS).unref();
  }

  async #look(): Promise<void> {
    const free = (this.#options.atOnceMax ?? AT_ONCE_MAX) - this.#running.size;
    if (free <= 0) return;
    try {
      const claimed = await this.#store.claim([...this.#kinds.keys()], free, this.#leaseMs, randomUUID());
      for (const task of claimed) this.#begin(task);
    } catch (error) {
      this.#options.onError?.(error);
    }
  }

  #begin(task: ClaimedTask): void {
    const attempt = this.#attempt(task)
      .catch((error: unknown) => this.#options.onError?.(error, task))
      .finally(() => {
        this.#running.delete(attempt);
        // The next of its key may be waiting.
        this.nudge();
      });
    this.#running.add(attempt);
  }

  async #attempt(task: ClaimedTask): Promise<void> {
    const kind = this.#kinds.get(task.kind);
    if (!kind) throw new Error(`Broken invariant: a task of the unknown kind ${task.kind} was taken`);
    if (task.phase === 'run' && task.isOverdue) return this.#giveUp(kind, task, 'given_up', task.reason);
    try {
      await inSpan({ name: `task ${task.kind}`, kind: 'consumer', from: task.trace }, () => this.#call(kind, task));
    } catch (error) {
      this.#options.onError?.(error, task);
      const pauseMs = pauseAfterMs(task.attempt, (this.#options.random ?? Math.random)());
      await this.#store.putOff(task, pauseMs, messageOf(error));
    }
  }

  async #call(kind: TaskKind, task: ClaimedTask): Promise<void> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(kind.timeoutMs ?? TIMEOUT_MS)]);
    if (task.phase === 'undo') {
      await untilAborted(signal, kind.undo?.(task, signal));
      await this.#store.end(task, task.ending ?? 'given_up', task.reason, kind.onEnded);
      return;
    }
    const outcome = await untilAborted(signal, kind.run(task, signal));
    if (outcome?.status === 'refused') await this.#giveUp(kind, task, 'refused', outcome.reason);
    else await this.#store.end(task, 'done', null, kind.onEnded);
  }

  async #giveUp(
    kind: TaskKind,
    task: ClaimedTask,
    ending: 'refused' | 'given_up',
    reason: string | null,
  ): Promise<void> {
    if (kind.undo) await this.#store.turnToUndo(task, ending, reason);
    else await this.#store.end(task, ending, reason, kind.onEnded);
  }
}

/** An attempt that does not heed its signal ends all the same. */
async function untilAborted<T>(signal: AbortSignal, work: Promise<T> | undefined): Promise<T | undefined> {
  if (work === undefined) return undefined;
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(new Error(`the attempt was ended: ${messageOf(signal.reason)}`));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

const NOTE_MAX = 500;

/** A time-out is a DOMException, which has a message and is no Error everywhere. */
function messageOf(error: unknown): string {
  const told: unknown = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return String(told).slice(0, NOTE_MAX);
}
