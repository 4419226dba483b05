/** The rows that units of work lock, and whose versions chain the facts of one key. */
import pg from 'pg';

type Queryable = Pick<pg.ClientBase, 'query'>;

export class Aggregates {
  readonly #table: string;
  readonly #schema: string;

  constructor(schema: string) {
    this.#schema = schema;
    this.#table = `${pg.escapeIdentifier(schema)}.aggregate`;
  }

  /**
   * Locks them until the transaction ends, makes those that are new, and answers their versions.
   *
   * New ones first, then all, each time in the order of their keys. Whoever makes one that another transaction is making
   * waits for it there, holding only new ones below; whoever locks what is there holds only keys below as well. So no two
   * wait for each other, as long as each unit locks once.
   */
  async lock(client: Queryable, keys: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const distinct = [...new Set(keys)];
    if (distinct.length === 0) return new Map();
    await client.query({
      name: `aggregates-make-${this.#schema}`,
      text: `INSERT INTO ${this.#table} (key) SELECT key FROM unnest($1::text[]) AS x (key) ORDER BY key COLLATE "C" ON CONFLICT DO NOTHING`,
      values: [distinct],
    });
    // In a statement of its own: it sees what the first one waited for.
    const { rows } = await client.query<{ key: string; version: number }>({
      name: `aggregates-lock-${this.#schema}`,
      text: `SELECT key, version FROM ${this.#table} WHERE key = ANY($1::text[]) ORDER BY key FOR NO KEY UPDATE`,
      values: [distinct],
    });
    return new Map(rows.map(({ key, version }) => [key, Number(version)]));
  }

  /** Of locked ones: from now on they have these versions. */
  async step(client: Queryable, versions: ReadonlyMap<string, number>): Promise<void> {
    if (versions.size === 0) return;
    await client.query({
      name: `aggregates-step-${this.#schema}`,
      text: `UPDATE ${this.#table} a SET version = x.version FROM unnest($1::text[], $2::bigint[]) AS x (key, version) WHERE a.key = x.key`,
      values: [[...versions.keys()], [...versions.values()]],
    });
  }

  /** As they are in the caller's snapshot; 0 of what was never told. */
  async versionsOf(client: Queryable, keys: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const { rows } = await client.query<{ key: string; version: number }>({
      name: `aggregates-read-${this.#schema}`,
      text: `SELECT key, version FROM ${this.#table} WHERE key = ANY($1::text[])`,
      values: [keys],
    });
    const known = new Map(rows.map(({ key, version }) => [key, Number(version)]));
    return new Map(keys.map((key) => [key, known.get(key) ?? 0]));
  }
}
