/** Where shelves come from: rows that units of work change and tell of, a relay, and pages of what there is. */
import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { type FactDefinition, type SnapshotPage, cutPage, factStream } from '@onepool/contracts';
import { commitPoint } from '@onepool/platform-failpoints';
import {
  type Relay,
  connectNats,
  factKey,
  formatPosition,
  messagingTables,
  readStreamPosition,
  startRelay,
} from '@onepool/platform-messaging';
import { partitionTables, runMigrations } from '@onepool/platform-postgres';
import { taskTables } from '@onepool/platform-tasks';
import { UnitOfWork, dataSourceOptions, poolOf, unitOfWorkTables } from '@onepool/platform-unit-of-work';
import { Type } from '@sinclair/typebox';
import type pg from 'pg';
import { DataSource } from 'typeorm';

export const Shelf = Type.Object({ units: Type.Integer() });
const told = <S extends typeof Shelf>(state: S) =>
  Type.Object({
    code: Type.String(),
    state: Type.Union([state, Type.Null()]),
    fromVersion: Type.Integer(),
    toVersion: Type.Integer(),
  });
export const SHELF_STREAM = factStream('shelves');
const subject = (name: string): string => `onepool.shelves.${name}.v1`;
export const SHELF_FACTS = [
  { id: 'shelfChanged', subject: subject('shelf.changed'), data: told(Shelf), summary: '', description: '' },
  { id: 'shelfRemoved', subject: subject('shelf.removed'), data: told(Shelf), summary: '', description: '' },
  { id: 'aisleChanged', subject: subject('aisle.changed'), data: told(Shelf), summary: '', description: '' },
  { id: 'doorOpened', subject: subject('door.opened'), data: told(Shelf), summary: '', description: '' },
] as const satisfies readonly FactDefinition[];
const [SHELF_CHANGED, SHELF_REMOVED, AISLE_CHANGED, DOOR_OPENED] = SHELF_FACTS;

export type ShelfKind = 'shelves' | 'aisles';
/** Null units take it away. */
export interface ShelfChange {
  readonly kind: ShelfKind;
  readonly code: string;
  readonly units: number | null;
}
export type ShelfPage = SnapshotPage<{ readonly units: number }>;
export type ReadShelves = (
  kind: ShelfKind,
  query: { readonly limit?: number; readonly cursor?: string },
) => Promise<ShelfPage>;

const SCHEMA = 'shelves';
const PARTITIONS = 2;
const CHANGE = commitPoint('spec.change_shelves');
const TABLE = `
  CREATE TABLE shelf (kind text, code text COLLATE "C", version bigint NOT NULL, state json, PRIMARY KEY (kind, code))`;

export class ShelfSource {
  readonly #dataSource: DataSource;
  readonly #connection: NatsConnection;
  readonly #units: UnitOfWork;
  readonly relay: Relay;
  readonly pool: pg.Pool;
  /** Pages that were read so far. */
  readonly pagesRead: string[] = [];
  /** Happens once, between the reading of a page's rows and its answer. A page of one item only asks for the position. */
  beforeAnswer: (() => Promise<void>) | undefined;

  private constructor(dataSource: DataSource, connection: NatsConnection) {
    this.#dataSource = dataSource;
    this.#connection = connection;
    this.pool = poolOf(dataSource);
    this.relay = startRelay({
      pool: this.pool,
      connection,
      schema: SCHEMA,
      stream: SHELF_STREAM,
      partitionCount: PARTITIONS,
      leaseMs: 4_000,
      publishTimeoutMs: 1_000,
      verifyIntervalMs: 100,
    });
    this.#units = new UnitOfWork({
      dataSource,
      schema: SCHEMA,
      source: '/onepool/shelves',
      partitionCount: PARTITIONS,
      onCommitted: () => this.relay.nudge(),
    });
  }

  static async open(databaseUrl: string, natsUrl: string): Promise<ShelfSource> {
    const parts = [partitionTables, messagingTables, taskTables, unitOfWorkTables];
    await runMigrations({ url: databaseUrl, schemas: [{ schema: SCHEMA, parts }] });
    const settings = { url: databaseUrl, schema: SCHEMA, entities: [], max: 8, applicationName: 'shelves' };
    const dataSource = await new DataSource(dataSourceOptions(settings)).initialize();
    await poolOf(dataSource).query(TABLE);
    return new ShelfSource(dataSource, await connectNats({ url: natsUrl, name: 'shelves' }));
  }

  /** Each in a commit of its own. */
  async change(...changes: readonly ShelfChange[]): Promise<void> {
    for (const change of changes) await this.#changeOne(change);
  }

  /** A fact of the stream that no mirror of shelves listens to. */
  async openDoor(): Promise<void> {
    const key = factKey('door', 'main');
    await this.#units.run({ commit: CHANGE, locks: [key] }, async (work) =>
      work.tell(key, DOOR_OPENED, { code: 'main', state: null }),
    );
  }

  async #changeOne({ kind, code, units }: ShelfChange): Promise<void> {
    const key = factKey(kind, code);
    const state = units === null ? null : { units };
    await this.#units.run({ commit: CHANGE, locks: [key] }, async (work) => {
      const upsert = `
        INSERT INTO shelf VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, code) DO UPDATE SET version = excluded.version, state = excluded.state`;
      await work.client.query(upsert, [kind, code, work.versionOf(key) + 1, state && JSON.stringify(state)]);
      const fact = kind === 'aisles' ? AISLE_CHANGED : units === null ? SHELF_REMOVED : SHELF_CHANGED;
      work.tell(key, fact, { code, state });
    });
  }

  /** From now on pages say nothing any more of what is gone. */
  async forgetRemoved(): Promise<void> {
    await this.pool.query('DELETE FROM shelf WHERE state IS NULL');
  }

  /** An item is known by its code, and the next page goes on after the last. */
  readonly read: ReadShelves = async (kind, { limit = 100, cursor }) => {
    if (limit > 1) this.pagesRead.push(`${kind} after ${cursor ?? 'none'}`);
    const source = { client: this.pool, schema: SCHEMA, connection: this.#connection, stream: SHELF_STREAM.name };
    const position = formatPosition(await readStreamPosition(source));
    const { rows } = await this.pool.query<{ key: string; version: number; value: { units: number } | null }>(
      'SELECT code AS key, version, state AS value FROM shelf WHERE kind = $1 AND code > $2 ORDER BY code LIMIT $3',
      [kind, cursor ?? '', limit + 1],
    );
    const happens = limit > 1 ? this.beforeAnswer : undefined;
    if (limit > 1) this.beforeAnswer = undefined;
    await happens?.();
    return cutPage(position, rows, limit, String);
  };

  /** What there is, by kind and code. */
  async truth(): Promise<Record<string, unknown>> {
    const { rows } = await this.pool.query<{ name: string; state: unknown }>(
      `SELECT kind || '/' || code AS name, state FROM shelf WHERE state IS NOT NULL ORDER BY 1`,
    );
    return Object.fromEntries(rows.map(({ name, state }) => [name, state]));
  }

  /** Whether the stream holds all that was told. */
  async isTold(): Promise<boolean> {
    const { rows } = await this.pool.query<{ open: boolean }>(
      `SELECT EXISTS (SELECT FROM outbox o JOIN relay_cursor c USING (partition) WHERE o.id > c.low) AS open`,
    );
    return rows[0]?.open === false && this.relay.isReady();
  }

  async epoch(): Promise<number> {
    const { rows } = await this.pool.query<{ epoch: number }>('SELECT epoch FROM relay_stream');
    return rows[0]?.epoch ?? 0;
  }

  async manager() {
    return jetstream(this.#connection).jetstreamManager(false);
  }

  async close(): Promise<void> {
    await this.relay.stop();
    await this.#connection.close();
    await this.#dataSource.destroy();
  }
}
