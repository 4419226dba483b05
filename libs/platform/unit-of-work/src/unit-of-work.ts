/**
 * One transaction of a module: entities, facts, tasks and the inbox's row remain together, or none of them does.
 *
 * A unit names the aggregates that it is about. They are locked first, as a sorted set; then it reads, decides and writes
 * entities, by TypeORM's manager or by plain SQL; at the end the versions of those it told facts of are stepped, and facts
 * and tasks are written as arrays. Facts of one aggregate hence take their outbox ids in the order of its versions, whoever
 * races. No unit spans two modules: each has its own schema, and its facts go into its own outbox.
 */
import { type Commit, failpoint } from '@onepool/platform-failpoints';
import { appendToOutbox, type FactEvent } from '@onepool/platform-messaging';
import {
  classifyPgError,
  isDefiniteFailure,
  TransactionOutcomeUnknownError,
  TransactionRolledBackError,
} from '@onepool/platform-postgres';
import { writeTasks } from '@onepool/platform-tasks';
import pg from 'pg';
import { Aggregates } from './aggregates.ts';
import { type Connections, type Session, lend } from './session.ts';
import { Work } from './work.ts';

export type UnitOfWorkOptions = Connections & UnitOfWorkSettings;

export interface UnitOfWorkSettings {
  /** The module's schema, with `messagingTables` and `unitOfWorkTables`. */
  readonly schema: string;
  /** Of the CloudEvents: `/onepool/catalog`. */
  readonly source: string;
  /** Of the outbox; the number that its relay uses. */
  readonly partitionCount: number;
  /** Told of what waits for the relay and for the runner of tasks. It must not throw. */
  readonly onCommitted?: (written: { readonly facts: number; readonly tasks: number }) => void;
}

export interface Unit {
  /** Names the commit for failpoints. */
  readonly commit: Commit;
  /** Keys of the aggregates that it changes or tells of, in any order; see `factKey`. */
  readonly locks: readonly string[];
}

/** What is read of one moment. */
export interface Look extends Pick<Work, 'manager' | 'client'> {
  /** How many facts were told of each key; 0 of what was never told. */
  readonly versionsOf: (keys: readonly string[]) => Promise<ReadonlyMap<string, number>>;
}

export class UnitOfWork {
  readonly #options: UnitOfWorkOptions;
  readonly #aggregates: Aggregates;

  constructor(options: UnitOfWorkOptions) {
    this.#options = options;
    this.#aggregates = new Aggregates(options.schema);
  }

  /**
   * @throws whatever `work` throws, after a rollback; TransactionOutcomeUnknownError when the connection was lost after COMMIT
   * had been sent.
   */
  async run<T>({ commit, locks }: Unit, work: (work: Work) => Promise<T>): Promise<T> {
    return this.#inTransaction(commit, (session) => this.#work(session, locks, work));
  }

  /** Reads several things as of one moment. What it writes is refused. */
  async look<T>(read: (look: Look) => Promise<T>): Promise<T> {
    const session = await lend(this.#options);
    const { client } = session;
    const work = new Work({ ...session, source: this.#options.source, locked: new Map() });
    let isLost = false;
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return await read({
        client,
        get manager() {
          return work.manager;
        },
        versionsOf: (keys) => this.#aggregates.versionsOf(client, keys),
      });
    } catch (error) {
      isLost = isConnectionLost(error);
      throw error;
    } finally {
      await abandon(session, isLost);
    }
  }

  /**
   * Lets a fact of others take effect once, however often it is delivered: its row in the inbox is written first, and a second
   * one waits there for the first.
   */
  async receive(
    consumer: string,
    event: Pick<FactEvent, 'id'>,
    { commit, locks }: Unit,
    work: (work: Work) => Promise<void>,
  ): Promise<'effect' | 'duplicate'> {
    return this.#inTransaction(commit, async (session) => {
      const { rowCount } = await session.client.query({
        name: `inbox-${this.#options.schema}`,
        text: `INSERT INTO ${pg.escapeIdentifier(this.#options.schema)}.inbox (consumer, event_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
        values: [consumer, event.id],
      });
      if (rowCount === 0) return { result: 'duplicate', facts: 0, tasks: 0 };
      const { facts, tasks } = await this.#work(session, locks, work);
      return { result: 'effect', facts, tasks };
    });
  }

  async #work<T>(
    { client, manager }: Session,
    locks: readonly string[],
    work: (work: Work) => Promise<T>,
  ): Promise<Written<T>> {
    const locked = await this.#aggregates.lock(client, locks);
    const unit = new Work({ manager, client, source: this.#options.source, locked });
    const result = await work(unit);
    const { schema, partitionCount } = this.#options;
    await this.#aggregates.step(client, unit.stepped);
    await writeTasks(client, schema, unit.tasks);
    // Last of all, so that an id of the outbox is held open for as short as can be.
    await appendToOutbox(client, { schema, partitionCount }, unit.facts);
    return { result, facts: unit.facts.length, tasks: unit.tasks.length };
  }

  async #inTransaction<T>(commit: Commit, work: (session: Session) => Promise<Written<T>>): Promise<T> {
    const session = await lend(this.#options);
    let written: Written<T>;
    try {
      await session.begin();
      written = await work(session);
      await failpoint(commit.before);
    } catch (error) {
      await abandon(session, isConnectionLost(error));
      throw error;
    }
    await sendCommit(session);
    await failpoint(commit.after);
    const { result, facts, tasks } = written;
    if (facts + tasks > 0) this.#options.onCommitted?.({ facts, tasks });
    return result;
  }
}

interface Written<T> {
  readonly result: T;
  readonly facts: number;
  readonly tasks: number;
}

/** Rolls back. A connection on which more than that happened leaves the pool. */
async function abandon({ client, release }: Session, isLost: boolean): Promise<void> {
  // On a silent connection it would wait for the client's time-out once more; the server rolls back when the session ends.
  if (isLost) discard(client);
  else await client.query('ROLLBACK').catch(() => discard(client));
  await release();
}

const isConnectionLost = (error: unknown): boolean => classifyPgError(error) === 'connection';

/** Not TypeORM's, which keeps from us that the server answers ROLLBACK to the COMMIT of a transaction that failed. */
async function sendCommit({ client, release }: Session): Promise<void> {
  let answer: pg.QueryResult;
  try {
    answer = await client.query('COMMIT');
  } catch (error) {
    discard(client);
    await release();
    throw isDefiniteFailure(error) ? error : new TransactionOutcomeUnknownError(error);
  }
  await release();
  if (answer.command === 'ROLLBACK') throw new TransactionRolledBackError();
}

/** A pool takes no connection back that has been ended. */
function discard(client: pg.PoolClient): void {
  void (client as unknown as { end(): Promise<void> }).end().catch(() => undefined);
}
