import { randomUUIDv7 } from 'node:crypto';
import { currentTraceparent } from '@onepool/platform-tracing';
import pg from 'pg';
import type { NewTask } from './task.ts';

/** An id for a task. */
export const newTaskId = (): string => randomUUIDv7();

/**
 * Writes tasks in the caller's transaction, which holds the lock on what they are about; the runner takes them up once that
 * has committed. One that is there already stays as it is.
 */
export async function writeTasks(
  client: Pick<pg.ClientBase, 'query'>,
  schema: string,
  tasks: readonly NewTask[],
): Promise<void> {
  if (tasks.length === 0) return;
  const column = <T>(read: (task: NewTask) => T): T[] => tasks.map(read);
  await client.query({
    name: `write-tasks-${schema}`,
    text: `INSERT INTO ${pg.escapeIdentifier(schema)}.task (id, kind, key, payload, due_at, deadline_at, actor, person, trace)
           SELECT x.id, x.kind, x.key, x.payload, coalesce(x.due_at, clock_timestamp()), x.deadline_at, x.actor, x.person, $9
             FROM unnest($1::uuid[], $2::text[], $3::text[], $4::json[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[])
               WITH ORDINALITY AS x (id, kind, key, payload, due_at, deadline_at, actor, person, place)
            ORDER BY x.place
           ON CONFLICT (id) DO NOTHING`,
    values: [
      column(({ id }) => id),
      column(({ kind }) => kind),
      column(({ key }) => key),
      column(({ payload }) => JSON.stringify(payload)),
      column(({ dueAt }) => dueAt ?? null),
      column(({ deadlineAt }) => deadlineAt ?? null),
      column(({ actor }) => actor ?? null),
      column(({ person }) => person ?? null),
      currentTraceparent(),
    ],
  });
}
