/** What a task is, and how an attempt at it ends. */
import type pg from 'pg';

export interface NewTask {
  /** {@link newTaskId}; also the id of the call that it makes, never made again from anything else. */
  readonly id: string;
  readonly kind: string;
  /** What it is about: an order, a reservation. Tasks of one key run one at a time, in the order in which they were written. */
  readonly key: string;
  /** JSON. */
  readonly payload: unknown;
  /** Not before; at once unless given. */
  readonly dueAt?: Date;
  /** Not tried any more from then on. */
  readonly deadlineAt?: Date;
  /** Principals: who caused it, and on whose behalf. */
  readonly actor?: string | null;
  readonly person?: string | null;
}

/** A task as an attempt sees it. */
export interface Task {
  readonly id: string;
  readonly kind: string;
  readonly key: string;
  readonly payload: unknown;
  /** From 1, of this phase. */
  readonly attempt: number;
  readonly actor: string | null;
  readonly person: string | null;
}

/** A refusal is the other side's last word; whatever is thrown is tried again. */
export type TaskOutcome = { readonly status: 'done' } | { readonly status: 'refused'; readonly reason: string };

/** How a task ended for good. */
export type TaskEnding = 'done' | 'refused' | 'given_up';

export interface TaskKind {
  readonly kind: string;
  /** Makes the call. `signal` is aborted when its time is over; the attempt then counts as failed. */
  readonly run: (task: Task, signal: AbortSignal) => Promise<TaskOutcome>;
  /**
   * Takes back what an attempt may have done, once the task is refused or given up; by the same id, which the other side may
   * not know yet and must then refuse later. It is tried until it succeeds.
   */
  readonly undo?: (task: Task, signal: AbortSignal) => Promise<void>;
  /** What else changes when the task ends: in the same transaction, so that both are seen or neither. */
  readonly onEnded?: (client: pg.PoolClient, task: Task, ending: TaskEnding, reason: string | null) => Promise<void>;
  /** Time for one attempt, in milliseconds; 10,000 unless given. */
  readonly timeoutMs?: number;
}
