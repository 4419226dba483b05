/** The statements of a mirror in PostgreSQL. Those that write rows are sent in a transaction that has locked the mirror. */
import type { StreamPosition } from '@onepool/platform-messaging';
import pg from 'pg';
import type { MirrorRow } from './kinds.ts';
import type { MirrorState, Progress } from './mirror-store.ts';

export interface StateRow {
  readonly generation: number;
  readonly readable: number | null;
  readonly kinds: readonly string[];
  readonly epoch: number | null;
  readonly sequence: number | null;
  readonly durable: string | null;
  readonly page_kind: string | null;
  readonly page_cursor: string | null;
}

export const stateOf = (row: StateRow): MirrorState => ({
  generation: row.generation,
  readable: row.readable,
  kinds: row.kinds,
  position: row.epoch === null || row.sequence === null ? null : { epoch: row.epoch, sequence: row.sequence },
  durable: row.durable,
  page: row.page_kind === null ? null : { kind: row.page_kind, cursor: row.page_cursor },
});

const SWEPT_AT_ONCE = 5_000;

export class MirrorSql {
  readonly #name: string;
  readonly #mirror: string;
  readonly #rows: string;

  constructor(schema: string, name: string) {
    this.#name = name;
    this.#mirror = `${pg.escapeIdentifier(schema)}.mirror`;
    this.#rows = `${pg.escapeIdentifier(schema)}.mirror_row`;
  }

  /** One row where the mirror can be read; its value is null where there is no such thing. */
  get(kind: string, key: string): pg.QueryConfig {
    const text = `
      SELECT r.value FROM ${this.#mirror} m
        LEFT JOIN ${this.#rows} r ON r.mirror = m.name AND r.generation = m.readable AND r.kind = $2 AND r.key = $3
       WHERE m.name = $1 AND m.readable IS NOT NULL`;
    return { text, values: [this.#name, kind, key] };
  }

  state(): pg.QueryConfig {
    return { text: `SELECT * FROM ${this.#mirror} WHERE name = $1`, values: [this.#name] };
  }

  lock(): pg.QueryConfig {
    return { text: `SELECT * FROM ${this.#mirror} WHERE name = $1 FOR NO KEY UPDATE`, values: [this.#name] };
  }

  /** Changes one row, or none where the generation is not the newest any more. */
  begin(after: number, kinds: readonly string[]): pg.QueryConfig {
    const text =
      after === 0
        ? `INSERT INTO ${this.#mirror} (name, generation, kinds) VALUES ($1, $2::bigint + 1, $3) ON CONFLICT DO NOTHING`
        : `UPDATE ${this.#mirror} SET generation = generation + 1, kinds = $3, epoch = NULL, sequence = NULL, durable = NULL,
                  page_kind = NULL, page_cursor = NULL WHERE name = $1 AND generation = $2`;
    return { text, values: [this.#name, after, kinds] };
  }

  /** Answers the rows that were newer than what was there. Of each thing one row, at most. */
  put(generations: readonly number[], rows: readonly MirrorRow[]): pg.QueryConfig {
    const text = `
      INSERT INTO ${this.#rows} AS r (mirror, generation, kind, key, version, value)
      SELECT $1, g.generation, x.kind, x.key, x.version, x.value::jsonb
        FROM unnest($2::bigint[]) AS g (generation)
       CROSS JOIN unnest($3::text[], $4::text[], $5::bigint[], $6::text[]) AS x (kind, key, version, value)
          ON CONFLICT (mirror, generation, kind, key)
          DO UPDATE SET version = excluded.version, value = excluded.value WHERE r.version < excluded.version
      RETURNING generation, kind, key, version, value`;
    const columns = [
      rows.map(({ kind }) => kind),
      rows.map(({ key }) => key),
      rows.map(({ version }) => version),
      rows.map(({ value }) => (value === null ? null : JSON.stringify(value))),
    ];
    return { text, values: [this.#name, generations, ...columns] };
  }

  /** What is not told stays as it is. */
  progress({ position, durable, page }: Progress): pg.QueryConfig {
    const text = `
      UPDATE ${this.#mirror} SET
        epoch = CASE WHEN $2 THEN $3 ELSE epoch END, sequence = CASE WHEN $2 THEN $4 ELSE sequence END,
        durable = CASE WHEN $5 THEN $6 ELSE durable END,
        page_kind = CASE WHEN $7 THEN $8 ELSE page_kind END, page_cursor = CASE WHEN $7 THEN $9 ELSE page_cursor END
       WHERE name = $1`;
    const told = [
      [position !== undefined, position?.epoch ?? null, position?.sequence ?? null],
      [durable !== undefined, durable ?? null],
      [page !== undefined, page?.kind ?? null, page?.cursor ?? null],
    ];
    return { text, values: [this.#name, ...told.flat()] };
  }

  complete({ epoch, sequence }: StreamPosition): pg.QueryConfig {
    const text = `
      UPDATE ${this.#mirror} SET readable = generation, epoch = $2, sequence = $3, page_kind = NULL, page_cursor = NULL
       WHERE name = $1`;
    return { text, values: [this.#name, epoch, sequence] };
  }

  /** A cursor over what the newest generation has otherwise than the one that is read. */
  declareDifferences(): string {
    const mirror = pg.escapeLiteral(this.#name);
    const rowsOf = (generation: 'generation' | 'readable'): string =>
      `(SELECT r.* FROM ${this.#rows} r JOIN ${this.#mirror} m ON m.name = r.mirror AND m.${generation} = r.generation WHERE m.name = ${mirror})`;
    return `
      DECLARE differences CURSOR FOR
      SELECT kind, key, coalesce(n.version, o.version) AS version, n.value
        FROM ${rowsOf('generation')} n FULL JOIN ${rowsOf('readable')} o USING (kind, key)
       WHERE n.version IS DISTINCT FROM o.version AND coalesce(n.value, o.value) IS NOT NULL`;
  }

  sweep(): pg.QueryConfig {
    const text = `
      DELETE FROM ${this.#rows} WHERE (mirror, generation, kind, key) IN (
        SELECT r.mirror, r.generation, r.kind, r.key FROM ${this.#rows} r JOIN ${this.#mirror} m ON m.name = r.mirror
         WHERE m.name = $1 AND r.generation < m.generation AND r.generation IS DISTINCT FROM m.readable LIMIT $2)`;
    return { text, values: [this.#name, SWEPT_AT_ONCE] };
  }
}
