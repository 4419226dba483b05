/** The rows of tasks: taken by lease, and written only by whoever still holds it. */
import { commitPoint, committing } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import pg from 'pg';
import type { Task, TaskEnding, TaskKind } from './task.ts';

const CLAIM = commitPoint('tasks.claim');
const PUT_OFF = commitPoint('tasks.put_off');
const TURN = commitPoint('tasks.turn_to_undo');
const END = commitPoint('tasks.end');

export interface ClaimedTask extends Task {
  readonly phase: 'run' | 'undo';
  readonly ending: Exclude<TaskEnding, 'done'> | null;
  readonly reason: string | null;
  readonly isOverdue: boolean;
  readonly trace: string | null;
  readonly lease: string;
}

export class TaskStore {
  readonly #pool: pg.Pool;
  readonly #table: string;

  constructor(pool: pg.Pool, schema: string) {
    this.#pool = pool;
    this.#table = `${pg.escapeIdentifier(schema)}.task`;
  }

  /**
   * Takes up to `count` due tasks of these kinds, of each key the oldest that is open, for `leaseMs`. What other kinds there
   * are is for replicas that know them.
   */
  async claim(
    kinds: readonly string[],
    count: number,
    leaseMs: number,
    lease: string,
  ): Promise<readonly ClaimedTask[]> {
    const { rows } = await committing(CLAIM, () =>
      this.#pool.query<Omit<ClaimedTask, 'attempt'> & { attempts: number }>(
        `UPDATE ${this.#table} SET lease = $4, attempts = attempts + 1,
                lease_until = clock_timestamp() + make_interval(secs => $3::float8 / 1000)
          WHERE id IN (
            SELECT id FROM ${this.#table} t
             WHERE state = 'open' AND kind = ANY($1) AND due_at <= clock_timestamp() AND lease_until < clock_timestamp()
               AND NOT EXISTS (SELECT FROM ${this.#table} e WHERE e.state = 'open' AND e.key = t.key AND e.position < t.position)
             ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
            AND state = 'open' AND lease_until < clock_timestamp()
          RETURNING id, kind, key, payload, phase, ending, note AS reason, attempts, actor, person, trace, lease,
                    coalesce(deadline_at <= clock_timestamp(), false) AS "isOverdue"`,
        [kinds, count, leaseMs, lease],
      ),
    );
    return rows.map(({ attempts, ...row }) => ({ ...row, attempt: attempts }));
  }

  /** Tries again later. False when the lease is lost. */
  async putOff({ id, lease }: ClaimedTask, pauseMs: number, note: string): Promise<boolean> {
    const { rowCount } = await committing(PUT_OFF, () =>
      this.#pool.query(
        `UPDATE ${this.#table} SET due_at = clock_timestamp() + make_interval(secs => $3::float8 / 1000), note = $4,
                lease = NULL, lease_until = '-infinity' WHERE id = $1 AND lease = $2`,
        [id, lease, pauseMs, note],
      ),
    );
    return rowCount === 1;
  }

  /** From now on what may have been done is undone. False when the lease is lost. */
  async turnToUndo(
    { id, lease }: ClaimedTask,
    ending: Exclude<TaskEnding, 'done'>,
    reason: string | null,
  ): Promise<boolean> {
    const { rowCount } = await committing(TURN, () =>
      this.#pool.query(
        `UPDATE ${this.#table} SET phase = 'undo', ending = $3, note = $4, attempts = 0, due_at = clock_timestamp(),
                lease = NULL, lease_until = '-infinity' WHERE id = $1 AND lease = $2`,
        [id, lease, ending, reason],
      ),
    );
    return rowCount === 1;
  }

  /** Ends a task, with what its kind changes besides, in one transaction. False, and nothing changed, when the lease is lost. */
  async end(
    task: ClaimedTask,
    ending: TaskEnding,
    reason: string | null,
    onEnded: TaskKind['onEnded'],
  ): Promise<boolean> {
    return inTransaction(this.#pool, END, async (client) => {
      const { rowCount } = await client.query(
        `UPDATE ${this.#table} SET state = $3, note = $4, ended_at = clock_timestamp(), lease = NULL, lease_until = '-infinity'
          WHERE id = $1 AND lease = $2 AND state = 'open'`,
        [task.id, task.lease, ending, reason],
      );
      if (rowCount !== 1) return false;
      await onEnded?.(client, task, ending, reason);
      return true;
    });
  }
}
