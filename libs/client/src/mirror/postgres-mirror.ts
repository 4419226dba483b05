import type { AppContract } from '@onepool/contracts';
import { commitPoint, committing, variant } from '@onepool/platform-failpoints';
import type { StreamPosition } from '@onepool/platform-messaging';
import { inTransaction, underSessionLock } from '@onepool/platform-postgres';
import pg from 'pg';
import type { KindsOf, MirrorChange, MirrorRow } from './kinds.ts';
import {
  MirrorNotReadyError,
  type MirrorState,
  type MirrorStore,
  NOTHING_YET,
  type Progress,
  SupersededError,
  newestOf,
} from './mirror-store.ts';
import { MirrorSql, type StateRow, stateOf } from './mirror-sql.ts';

const BEGIN = commitPoint('client.mirror_begin');
const WRITE = commitPoint('client.mirror_write');
const COMPLETE = commitPoint('client.mirror_complete');
const SWEEP = commitPoint('client.mirror_sweep');

const CHANGES_AT_ONCE = 1_000;

export interface PostgresMirrorOptions<Kinds> {
  readonly pool: pg.Pool;
  /** With {@link mirrorTables}. */
  readonly schema: string;
  /** One mirror of several in the schema. */
  readonly name: string;
  /**
   * Told, in the transaction that makes it so, of what becomes otherwise in what is read: after a fact of that, after building
   * of all that differs, a thousand at a time. What it throws rolls back, and is tried again.
   */
  readonly onChanged?: (changes: readonly MirrorChange<Kinds>[], client: pg.PoolClient) => Promise<void>;
}

/**
 * A mirror in PostgreSQL, shared by the replicas of an app: rows and how far they have come change in one transaction. SQL reads
 * it by `mirrored(name, kind)`.
 *
 * @example
 * const catalogue = new PostgresMirror(AVAILABILITY, { pool, schema: 'brokering', name: 'catalogue' });
 * (await catalogue.get('skus', 'mug'))?.title
 */
export class PostgresMirror<C extends AppContract> implements MirrorStore<KindsOf<C>> {
  readonly #options: PostgresMirrorOptions<KindsOf<C>>;
  readonly #sql: MirrorSql;

  constructor(_contract: C, options: PostgresMirrorOptions<KindsOf<C>>) {
    this.#options = options;
    this.#sql = new MirrorSql(options.schema, options.name);
  }

  /** With a `client` it reads in that one's transaction. */
  async get<K extends keyof KindsOf<C> & string>(
    kind: K,
    key: string,
    client: Pick<pg.ClientBase, 'query'> = this.#options.pool,
  ): Promise<KindsOf<C>[K] | undefined> {
    const { rows } = await client.query<{ value: KindsOf<C>[K] | null }>(this.#sql.get(kind, key));
    const [row] = rows;
    if (row === undefined) throw new MirrorNotReadyError();
    return row.value ?? undefined;
  }

  async state(): Promise<MirrorState> {
    const { rows } = await this.#options.pool.query<StateRow>(this.#sql.state());
    return rows[0] === undefined ? NOTHING_YET : stateOf(rows[0]);
  }

  async begin(after: number, kinds: readonly string[]): Promise<void> {
    const { rowCount } = await committing(BEGIN, () => this.#options.pool.query(this.#sql.begin(after, kinds)));
    if (rowCount !== 1) throw new SupersededError();
    await this.#sweep();
  }

  async writePage(generation: number, rows: readonly MirrorRow[], progress: Progress): Promise<void> {
    if (variant('client.mirror_cursor_first')) {
      await this.#write(generation, (client) => client.query(this.#sql.progress(progress)));
    }
    await this.#write(generation, async (client) => {
      await client.query(this.#sql.put([generation], newestOf(rows)));
      await client.query(this.#sql.progress(progress));
    });
  }

  async writeFacts(generation: number, rows: readonly MirrorRow[]): Promise<void> {
    await this.#write(generation, async (client, readable) => {
      const generations = readable === null || readable === generation ? [generation] : [readable, generation];
      const { rows: written } = await client.query<MirrorRow & { generation: number }>(
        this.#sql.put(generations, newestOf(rows)),
      );
      const changes = written.flatMap(({ generation: of, ...change }) => (of === readable ? [change] : []));
      await this.#tell(changes, client);
    });
  }

  async reached(generation: number, position: StreamPosition): Promise<void> {
    await this.#write(generation, (client) => client.query(this.#sql.progress({ position })));
  }

  async complete(generation: number, position: StreamPosition): Promise<void> {
    await inTransaction(this.#options.pool, COMPLETE, async (client) => {
      await this.#demand(generation, client);
      if (this.#options.onChanged !== undefined) await this.#tellDifferences(client);
      await client.query(this.#sql.complete(position));
    });
    await this.#sweep();
  }

  alone<T>(work: () => Promise<T>): Promise<T | null> {
    const { pool, schema, name } = this.#options;
    return underSessionLock(pool, `mirror/${schema}/${name}`, work);
  }

  look(): Promise<unknown> {
    return this.#options.pool.query('SELECT 1');
  }

  async #write(
    generation: number,
    work: (client: pg.PoolClient, readable: number | null) => Promise<unknown>,
  ): Promise<void> {
    await inTransaction(this.#options.pool, WRITE, async (client) => {
      await work(client, await this.#demand(generation, client));
    });
  }

  /** Locks the mirror, so that those who write it come one after the other. @returns the generation that is read. */
  async #demand(generation: number, client: pg.PoolClient): Promise<number | null> {
    const { rows } = await client.query<StateRow>(this.#sql.lock());
    if (rows[0]?.generation !== generation) throw new SupersededError();
    return rows[0].readable;
  }

  async #tellDifferences(client: pg.PoolClient): Promise<void> {
    await client.query(this.#sql.declareDifferences());
    for (;;) {
      const { rows } = await client.query<MirrorRow>(`FETCH ${CHANGES_AT_ONCE} FROM differences`);
      await this.#tell(rows, client);
      if (rows.length < CHANGES_AT_ONCE) break;
    }
    await client.query('CLOSE differences');
  }

  async #tell(changes: readonly MirrorRow[], client: pg.PoolClient): Promise<void> {
    if (changes.length === 0) return;
    await this.#options.onChanged?.(changes as unknown as readonly MirrorChange<KindsOf<C>>[], client);
  }

  /** Rows of generations that nobody reads or builds any more, in batches. */
  async #sweep(): Promise<void> {
    for (let gone = true; gone;) {
      const { rowCount } = await committing(SWEEP, () => this.#options.pool.query(this.#sql.sweep()));
      gone = (rowCount ?? 0) > 0;
    }
  }
}
