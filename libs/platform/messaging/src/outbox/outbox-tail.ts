import pg from 'pg';
import { Watermark } from '../relay/watermark.ts';
import { RecordedWindow } from './recorded-window.ts';

/** What became visible in the outbox since the last poll. */
export interface TailPoll {
  /** Keys of the new events. */
  readonly keys: ReadonlySet<string>;
  /** The database's clock in milliseconds: every event committed before then has been told. */
  readonly asOf: number;
}

/**
 * Follows the outbox inside the database, for whoever keeps in memory what events make stale. It begins at the present,
 * tells every event that becomes visible, in whatever order transactions end, and needs no NATS.
 *
 * It lives as long as one PostgreSQL session: after a crash of the server the sequence may have fallen back, so a new
 * session needs a new tail, and whatever was kept in memory is to be forgotten.
 */
export class OutboxTail {
  readonly #watermark = new Watermark();
  readonly #window = new RecordedWindow();
  /** Told ids above `low`. */
  readonly #told = new Set<number>();
  /** Undefined until every transaction has ended that may own an id from before the tail began. */
  #low: number | undefined;
  readonly #client: pg.ClientBase;
  readonly #schema: string;

  constructor(client: pg.ClientBase, schema: string) {
    this.#client = client;
    this.#schema = pg.escapeIdentifier(schema);
  }

  /** One look; call them one after the other. Null while the tail has not begun yet. */
  async poll(): Promise<TailPoll | null> {
    const { lastId, asOf } = await this.#readPosition();
    this.#window.look(lastId, asOf);
    if (this.#low !== undefined) this.#window.reached(this.#low);
    if (this.#low !== undefined && lastId <= this.#low) return { keys: new Set(), asOf };
    // The order of these statements is the proof; see Watermark.
    if (this.#watermark.needsMark(lastId)) this.#watermark.place(lastId, await this.#takeTransactionId());
    const { xmin, ids, keys } = await this.#readNewer(this.#low ?? lastId);
    this.#watermark.observe(xmin);
    const begins = this.#low === undefined;
    if (begins && this.#watermark.settled === 0 && lastId > 0) return null;
    const news = begins ? [] : keys.filter((_, index) => !this.#told.has(ids[index] ?? 0));
    if (!begins) for (const id of ids) this.#told.add(id);
    this.#low = Math.max(this.#low ?? 0, this.#watermark.settled);
    for (const id of this.#told) if (id <= this.#low) this.#told.delete(id);
    return { keys: new Set(news), asOf };
  }

  async #readPosition(): Promise<{ lastId: number; asOf: number }> {
    const { rows } = await this.#client.query<{ last: string; at: string }>({
      name: 'outbox-position',
      text: `SELECT (CASE WHEN is_called THEN last_value ELSE last_value - 1 END)::text AS last,
                    floor(extract(epoch FROM clock_timestamp()) * 1000)::text AS at
               FROM ${this.#schema}.outbox_id_seq`,
    });
    return { lastId: Number(rows[0]?.last ?? 0), asOf: Number(rows[0]?.at ?? 0) };
  }

  async #takeTransactionId(): Promise<bigint> {
    const { rows } = await this.#client.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
    return BigInt(rows[0]?.id ?? 0);
  }

  async #readNewer(id: number): Promise<{ xmin: bigint; ids: readonly number[]; keys: readonly string[] }> {
    const { condition } = this.#window;
    const { rows } = await this.#client.query<{ xmin: string; ids: string[] | null; keys: string[] | null }>({
      name: condition === 'true' ? 'outbox-newer' : `outbox-newer ${condition.replaceAll(/[^0-9]/g, '')}`,
      text: `SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin, array_agg(id::text) AS ids, array_agg(key) AS keys
               FROM ${this.#schema}.outbox WHERE id > $1 AND ${condition}`,
      values: [id],
    });
    const [row] = rows;
    return { xmin: BigInt(row?.xmin ?? 0), ids: (row?.ids ?? []).map(Number), keys: row?.keys ?? [] };
  }
}
