import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { installFailpoints } from '@onepool/platform-failpoints';
import { createPool, runMigrations } from '@onepool/platform-postgres';
import { createTestDatabase } from '@onepool/testing-servers';
import type pg from 'pg';
import type { NewTask, Task, TaskKind, TaskOutcome } from './task.ts';
import { TaskRunner, type TaskRunnerOptions } from './task-runner.ts';
import { taskTables } from './task-tables.ts';
import { newTaskId, writeTasks } from './write-tasks.ts';

const SCHEMA = 'spec';
const DONE: TaskOutcome = { status: 'done' };

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let pool: pg.Pool;
let runners: TaskRunner[];
let errors: string[];

const poolOf = (url: string): pg.Pool =>
  createPool({
    url,
    max: 8,
    schema: SCHEMA,
    applicationName: 'spec',
    statementTimeoutMs: 60_000,
    lockTimeoutMs: 60_000,
    idleInTransactionTimeoutMs: 60_000,
    connectTimeoutMs: 60_000,
  });

beforeAll(async () => {
  database = await createTestDatabase();
  const schemas = [{ schema: SCHEMA, parts: [taskTables] }];
  await runMigrations({ url: database.ownerUrl, runtimeUrl: database.url, schemas });
  pool = poolOf(database.url);
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});
beforeEach(async () => {
  [runners, errors] = [[], []];
  await pool.query('DELETE FROM task');
});
afterEach(() => Promise.all(runners.map((runner) => runner.stop())));

function start(kinds: readonly TaskKind[], options: Partial<TaskRunnerOptions> = {}): TaskRunner {
  const runner = new TaskRunner({
    pool,
    schema: SCHEMA,
    kinds,
    intervalMs: 20,
    random: () => 0,
    onError: (error) => void errors.push(error instanceof Error ? error.message : String(error)),
    ...options,
  });
  runners.push(runner);
  runner.start();
  return runner;
}

const task = (kind: string, more: Partial<NewTask> = {}): NewTask => {
  const id = newTaskId();
  return { id, kind, key: id, payload: { of: kind }, ...more };
};
const write = (...tasks: readonly NewTask[]) => writeTasks(pool, SCHEMA, tasks);

interface Row {
  readonly state: string;
  readonly phase: string;
  readonly note: string | null;
  readonly attempts: number;
}
async function rowOf(id: string): Promise<Row> {
  const { rows } = await pool.query<Row>('SELECT state, phase, note, attempts FROM task WHERE id = $1', [id]);
  return rows[0]!;
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}
const ended = async (id: string): Promise<Row> => {
  await until(async () => (await rowOf(id)).state !== 'open');
  return rowOf(id);
};
/** Lets a task be tried again at once, as if its pause were over. */
const hurry = (): Promise<unknown> => pool.query(`UPDATE task SET due_at = clock_timestamp() WHERE state = 'open'`);

function gate() {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

describe('a task', () => {
  it('runs once its transaction has committed, with all that was written of it, and never if it was rolled back', async () => {
    const seen: Task[] = [];
    start([{ kind: 'call', run: async (one) => (seen.push(one), DONE) }]);
    const [kept, lost] = [task('call', { actor: 'prn_a', person: 'prn_b' }), task('call')];
    const client = await pool.connect();
    await client.query('BEGIN');
    await writeTasks(client, SCHEMA, [lost]);
    await client.query('ROLLBACK');
    client.release();
    await write(kept);
    expect(await ended(kept.id)).toMatchObject({ state: 'done', attempts: 1 });
    expect(seen).toMatchObject([{ ...kept, attempt: 1 }]);
  });

  it('is written once, however often', async () => {
    const one = task('call');
    await write(one);
    await write({ ...one, payload: 'other' });
    const { rows } = await pool.query('SELECT payload FROM task');
    expect(rows).toEqual([{ payload: { of: 'call' } }]);
  });

  it('is tried again by the same id when it fails, and shows why meanwhile', async () => {
    const tried: string[] = [];
    const run = async ({ id, attempt }: Task): Promise<TaskOutcome> => {
      tried.push(`${id} ${attempt}`);
      if (attempt < 3) throw new Error(`attempt ${attempt} failed`);
      return DONE;
    };
    const one = task('call');
    await write(one);
    start([{ kind: 'call', run }]);
    await until(async () => (await rowOf(one.id)).note === 'attempt 1 failed');
    await until(async () => (await hurry(), (await rowOf(one.id)).state === 'done'));
    expect(tried).toEqual([1, 2, 3].map((attempt) => `${one.id} ${attempt}`));
    expect(errors).toEqual(['attempt 1 failed', 'attempt 2 failed']);
  });

  it('waits for its time', async () => {
    const later = task('call', { dueAt: new Date(Date.now() + 3_600_000) });
    const now = task('call');
    await write(later, now);
    start([{ kind: 'call', run: async () => DONE }]);
    await ended(now.id);
    expect(await rowOf(later.id)).toMatchObject({ state: 'open', attempts: 0 });
  });

  it('of a kind that a replica does not know is left to those that do', async () => {
    const [known, unknown] = [task('old'), task('new')];
    await write(unknown, known);
    start([{ kind: 'old', run: async () => DONE }]);
    await ended(known.id);
    expect(await rowOf(unknown.id)).toMatchObject({ state: 'open', attempts: 0 });
  });

  it('ends together with what its kind changes, or not at all', async () => {
    let isBroken = true;
    const onEnded: TaskKind['onEnded'] = async (client, { id }, ending) => {
      await client.query(`UPDATE ${SCHEMA}.task SET payload = to_json($2::text) WHERE id = $1`, [id, ending]);
      if (isBroken) throw new Error('the change failed');
    };
    const one = task('call');
    await write(one);
    start([{ kind: 'call', run: async () => DONE, onEnded }]);
    await until(() => errors.includes('the change failed'));
    await until(async () => (await rowOf(one.id)).note === 'the change failed');
    expect((await pool.query('SELECT payload FROM task')).rows).toEqual([{ payload: one.payload }]);
    isBroken = false;
    await until(async () => (await hurry(), (await rowOf(one.id)).state === 'done'));
    expect((await pool.query('SELECT payload FROM task')).rows).toEqual([{ payload: 'done' }]);
  });
});

describe('tasks of one key', () => {
  it('run one at a time in their order, while those of others go on', async () => {
    const events: string[] = [];
    const first = gate();
    const run = async ({ payload }: Task): Promise<TaskOutcome> => {
      events.push(`begin ${String(payload)}`);
      if (payload === 1) await first.passed;
      events.push(`end ${String(payload)}`);
      return DONE;
    };
    const [one, two, other] = [1, 2, 3].map((payload) => task('call', { payload, key: payload === 3 ? 'b' : 'a' }));
    await write(one!, two!, other!);
    start([{ kind: 'call', run }]);
    start([{ kind: 'call', run }]);
    await ended(other!.id);
    expect(events).toEqual(expect.arrayContaining(['begin 1', 'begin 3', 'end 3']));
    expect(events).not.toContain('begin 2');
    first.open();
    await ended(two!.id);
    expect(events.filter((event) => !event.endsWith('3'))).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });
});

describe('replicas', () => {
  it('share tasks, and each runs once', async () => {
    const ran: string[] = [];
    const tasks = Array.from({ length: 200 }, () => task('call'));
    for (let n = 0; n < 3; n += 1) start([{ kind: 'call', run: async ({ id }) => (ran.push(id), DONE) }]);
    await write(...tasks);
    await Promise.all(tasks.map(({ id }) => ended(id)));
    expect([...ran].sort()).toEqual(tasks.map(({ id }) => id).sort());
  });

  it('take over from one whose lease is over, and what that one brings afterwards is written nowhere', async () => {
    const stuck = gate();
    const ends: string[] = [];
    const kind = (name: string, run: () => Promise<TaskOutcome>): TaskKind => ({
      kind: 'call',
      run,
      onEnded: async () => void ends.push(name),
      timeoutMs: 600_000,
    });
    const one = task('call');
    await write(one);
    const begun = gate();
    // It has no hands left, or it might take the task over from itself.
    const slow = start(
      [kind('slow', async () => (begun.open(), await stuck.passed, { status: 'refused', reason: 'late' }))],
      { atOnceMax: 1 },
    );
    await begun.passed;
    await pool.query(`UPDATE task SET lease_until = '-infinity'`);
    start([kind('quick', async () => DONE)]);
    expect(await ended(one.id)).toMatchObject({ state: 'done', attempts: 2 });
    // Its attempt to write is over before it is looked for what that left behind.
    const isOver = gate();
    installFailpoints({
      pass: (name) => {
        if (name === 'tasks.end.after_commit') isOver.open();
        return undefined;
      },
      isPlanted: () => false,
    });
    stuck.open();
    await isOver.passed;
    installFailpoints(null);
    await slow.stop();
    expect(ends).toEqual(['quick']);
    expect(await rowOf(one.id)).toMatchObject({ state: 'done', note: null });
  });

  it('leave open what they were at when they stop, for others to take up', async () => {
    const begun = gate();
    const one = task('call');
    await write(one);
    const first = start([{ kind: 'call', run: () => (begun.open(), new Promise(() => undefined)) }]);
    await begun.passed;
    await first.stop();
    start([{ kind: 'call', run: async () => DONE }]);
    await until(async () => (await hurry(), (await rowOf(one.id)).state === 'done'));
  });
});

describe('a task that does not succeed', () => {
  it('is undone by the same id when it is refused, however often that takes, and then ends as refused', async () => {
    const undone: string[] = [];
    const ends: unknown[] = [];
    const one = task('call');
    await write(one);
    start([
      {
        kind: 'call',
        run: async () => ({ status: 'refused', reason: 'stock.insufficient' }),
        undo: async ({ id, attempt }) => {
          undone.push(id);
          if (attempt === 1) throw new Error('nobody there');
        },
        onEnded: async (_client, { id }, ending, reason) => void ends.push([id, ending, reason]),
      },
    ]);
    await until(() => errors.includes('nobody there'));
    await until(async () => (await hurry(), (await rowOf(one.id)).state !== 'open'));
    expect(await rowOf(one.id)).toMatchObject({ state: 'refused', phase: 'undo' });
    expect(undone).toEqual([one.id, one.id]);
    expect(ends).toEqual([[one.id, 'refused', expect.any(String)]]);
  });

  it('is given up at its deadline, undone and told', async () => {
    const calls: string[] = [];
    const one = task('call', { deadlineAt: new Date(Date.now() - 1_000) });
    await write(one);
    start([
      {
        kind: 'call',
        run: async () => (calls.push('run'), DONE),
        undo: async () => void calls.push('undo'),
        onEnded: async (_client, _task, ending) => void calls.push(ending),
      },
    ]);
    expect(await ended(one.id)).toMatchObject({ state: 'given_up' });
    expect(calls).toEqual(['undo', 'given_up']);
  });

  it('ends at once where there is nothing to undo', async () => {
    const one = task('call');
    await write(one);
    start([{ kind: 'call', run: async () => ({ status: 'refused', reason: 'no' }) }]);
    expect(await ended(one.id)).toMatchObject({ state: 'refused', phase: 'run', note: 'no' });
  });

  it('does not hold up an attempt for ever: one that does not heed its signal counts as failed', async () => {
    const one = task('call');
    await write(one);
    start([{ kind: 'call', run: () => new Promise(() => undefined), timeoutMs: 20 }]);
    await until(async () => (await rowOf(one.id)).note !== null);
    expect(await rowOf(one.id)).toMatchObject({ state: 'open', note: expect.stringMatching(/aborted|timeout/i) });
  });
});
