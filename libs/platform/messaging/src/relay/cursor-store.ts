import { commitPoint, committing } from '@onepool/platform-failpoints';
import type { FactEvent } from '../cloud-event.ts';
import pg from 'pg';
import { PartitionProgress, type Checkpoint, type MessagePosition } from './partition-progress.ts';

const PARTITIONS = commitPoint('messaging.relay_partitions');
const CLAIM = commitPoint('messaging.relay_claim');
const SAVE = commitPoint('messaging.relay_save');
const RELEASE = commitPoint('messaging.relay_release');
const EPOCH = commitPoint('messaging.relay_epoch');

/** A partition under this relay's lease. */
export interface OwnedPartition {
  readonly partition: number;
  readonly epoch: number;
  readonly progress: PartitionProgress;
  /** Incarnation of the stream that acknowledged what `progress` says; undefined before the first. */
  streamCreated: Date | undefined;
}

export interface OutboxRow extends Omit<FactEvent, 'data'> {
  /** The outbox id is `outboxId`, for `id` is the event's. */
  readonly outboxId: number;
  readonly partition: number;
  /** JSON text, never parsed on the way, so that no number is rounded. */
  readonly data: string;
}

export interface ReadRequest {
  readonly partition: number;
  readonly low: number;
  /** No row above this one is wanted. */
  readonly high: number;
}

interface CursorRow {
  partition: number;
  epoch: string;
  low: string;
  stream_created: Date | null;
  stream_seq: string;
  stream_event_id: string | null;
  checkpoints: Checkpoint[];
}

/** How much is read at once of each partition. */
export interface ReadBounds {
  readonly rows: number;
  /** Of data as the database stores it; the first row comes whatever its size. */
  readonly bytes: number;
}

interface EventRow {
  xmin: string;
  /** How many rows of the partition there were within the bound of rows. */
  found: number;
  id: string | null;
  partition: number;
  key: string;
  subject: string;
  event_id: string;
  type: string;
  source: string;
  time: Date;
  trace: string | null;
  data: string;
}

/**
 * The relay's SQL, on one session. Time is the database's, so that replicas with wrong clocks agree on leases; every
 * write names owner and epoch, so that a stale owner changes nothing.
 */
export class CursorStore {
  readonly #client: pg.ClientBase;
  readonly #schema: string;
  readonly #owner: string;

  constructor(client: pg.ClientBase, schema: string, owner: string) {
    this.#client = client;
    this.#schema = pg.escapeIdentifier(schema);
    this.#owner = owner;
  }

  async createPartitions(count: number): Promise<void> {
    const insert = `
      INSERT INTO ${this.#schema}.relay_cursor (partition) SELECT generate_series(0, $1::int - 1) ON CONFLICT DO NOTHING`;
    await committing(PARTITIONS, () => this.#client.query(insert, [count]));
  }

  /** Takes every partition whose lease has run out. Its state is what the last owner saved. */
  async claim(leaseMs: number): Promise<OwnedPartition[]> {
    const update = `
      UPDATE ${this.#schema}.relay_cursor c
         SET owner = $1, epoch = c.epoch + 1, lease_until = clock_timestamp() + $2 * interval '1 millisecond'
        FROM (SELECT partition FROM ${this.#schema}.relay_cursor
               WHERE lease_until < clock_timestamp() ORDER BY partition FOR UPDATE SKIP LOCKED) free
       WHERE c.partition = free.partition
      RETURNING c.partition, c.epoch, c.low, c.stream_created, c.stream_seq, c.stream_event_id, c.checkpoints`;
    const claim = () =>
      this.#client.query<CursorRow>({ name: 'relay-claim', text: update, values: [this.#owner, leaseMs] });
    const { rows } = await committing(CLAIM, claim);
    return rows.map(toOwnedPartition);
  }

  /** Saves progress and renews the leases in one statement. Returns the partitions that are still ours. */
  async save(owned: readonly OwnedPartition[], leaseMs: number): Promise<ReadonlySet<number>> {
    const update = `
      UPDATE ${this.#schema}.relay_cursor c
         SET lease_until = clock_timestamp() + $2 * interval '1 millisecond', low = v.low,
             stream_created = v.stream_created, stream_seq = v.stream_seq, stream_event_id = v.stream_event_id,
             checkpoints = v.checkpoints
        FROM unnest($3::smallint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::bigint[], $8::text[], $9::jsonb[])
          AS v (partition, epoch, low, stream_created, stream_seq, stream_event_id, checkpoints)
       WHERE c.partition = v.partition AND c.owner = $1 AND c.epoch = v.epoch
      RETURNING c.partition`;
    const values = [this.#owner, leaseMs, ...columnsOf(owned)];
    const save = () => this.#client.query<{ partition: number }>({ name: 'relay-save', text: update, values });
    const { rows } = await committing(SAVE, save);
    return new Set(rows.map((row) => row.partition));
  }

  /** Ends the leases, so that another relay takes over at once. */
  async release(owned: readonly OwnedPartition[]): Promise<void> {
    const update = `
      UPDATE ${this.#schema}.relay_cursor c SET owner = NULL, lease_until = '-infinity'
        FROM unnest($2::smallint[], $3::bigint[]) AS v (partition, epoch)
       WHERE c.partition = v.partition AND c.owner = $1 AND c.epoch = v.epoch`;
    const [partitions, epochs] = columnsOf(owned);
    await committing(RELEASE, () => this.#client.query(update, [this.#owner, partitions, epochs]));
  }

  /** From now on facts are of a new epoch of the stream, whichever relay publishes them. */
  async stepEpoch(): Promise<void> {
    await committing(EPOCH, () => this.#client.query(`UPDATE ${this.#schema}.relay_stream SET epoch = epoch + 1`));
  }

  /**
   * The highest outbox id given out so far, visible or not, 0 before the first; the database's clock; and the stream's epoch.
   */
  async readPosition(): Promise<{ readonly lastId: number; readonly clock: number; readonly epoch: number }> {
    const { rows } = await this.#client.query<{ last: string; clock: number; epoch: string }>({
      name: 'relay-position',
      text: `SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS last,
              (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS clock, r.epoch
         FROM ${this.#schema}.outbox_id_seq, ${this.#schema}.relay_stream r`,
    });
    return { lastId: Number(rows[0]?.last), clock: rows[0]?.clock ?? 0, epoch: Number(rows[0]?.epoch) };
  }

  /** A fresh transaction id: every transaction that had one before this call has a smaller one. */
  async takeTransactionId(): Promise<bigint> {
    const { rows } = await this.#client.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
    return BigInt(rows[0]?.id ?? 0);
  }

  /**
   * Unpublished visible rows in id order, within bounds, and the xmin of the same snapshot. `readTo` has the last id read of
   * each partition that may have more. `recorded` says when the rows were; see RecordedWindow.
   */
  async readUnpublished(
    requests: readonly ReadRequest[],
    recorded: string,
    publishedIds: readonly number[],
    bounds: ReadBounds,
  ): Promise<{ readonly xmin: bigint; readonly rows: OutboxRow[]; readonly readTo: ReadonlyMap<number, number> }> {
    const { rows } = await this.#client.query<EventRow>({
      name: preparedFor('relay-read', recorded),
      text: `SELECT s.xmin, o.* FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xmin) s
       LEFT JOIN (
         SELECT e.* FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS p (partition, low, high)
         CROSS JOIN LATERAL (
           SELECT id, partition, key, subject, event_id, type, source, time, trace, data::text AS data, found
           FROM (
             SELECT *, count(*) OVER () AS found, row_number() OVER w AS place, sum(pg_column_size(data)) OVER w AS bytes
             FROM (
               SELECT * FROM ${this.#schema}.outbox
               WHERE partition = p.partition AND id > p.low AND id <= p.high AND id <> ALL ($4::bigint[]) AND ${recorded}
               ORDER BY id LIMIT $5
             ) first
             WINDOW w AS (ORDER BY id ROWS UNBOUNDED PRECEDING)
           ) sized
           WHERE place = 1 OR bytes < $6
         ) e
       ) o ON true ORDER BY o.id`,
      values: [
        requests.map((request) => request.partition),
        requests.map((request) => request.low),
        requests.map((request) => request.high),
        publishedIds,
        bounds.rows,
        bounds.bytes,
      ],
    });
    const read = rows.filter((row) => row.id !== null);
    return { xmin: BigInt(rows[0]?.xmin ?? 0), rows: read.map(toOutboxRow), readTo: lastOfCut(read, bounds.rows) };
  }

  /** How many rows wait, counted up to `limit` a partition, and since how many seconds the oldest does. */
  async measureBacklog(
    requests: readonly ReadRequest[],
    recorded: string,
    publishedIds: readonly number[],
    limit: number,
  ): Promise<{ readonly rows: number; readonly lagSeconds: number }> {
    const { rows } = await this.#client.query<{ rows: string; lag: number | null }>({
      name: preparedFor('relay-backlog', recorded),
      text: `SELECT count(*) AS rows, max(extract(epoch FROM clock_timestamp() - o.recorded_at))::float8 AS lag
       FROM unnest($1::smallint[], $2::bigint[]) AS p (partition, low)
       CROSS JOIN LATERAL (
         SELECT recorded_at FROM ${this.#schema}.outbox
         WHERE partition = p.partition AND id > p.low AND id <> ALL ($3::bigint[]) AND ${recorded} ORDER BY id LIMIT $4
       ) o`,
      values: [
        requests.map((request) => request.partition),
        requests.map((request) => request.low),
        publishedIds,
        limit,
      ],
    });
    return { rows: Number(rows[0]?.rows ?? 0), lagSeconds: Math.max(0, rows[0]?.lag ?? 0) };
  }
}

/** Planning over a week of partitions takes longer than reading, so a statement is planned once for the days that it reads. */
const preparedFor = (statement: string, recorded: string): string =>
  recorded === 'true' ? statement : `${statement} ${recorded.replaceAll(/[^0-9]/g, '')}`;

/** The last id read of each partition of which a bound cut rows off, or may have. */
function lastOfCut(read: readonly EventRow[], limit: number): ReadonlyMap<number, number> {
  const tally = new Map<number, { count: number; found: number; last: number }>();
  for (const { partition, found, id } of read) {
    const { count } = tally.get(partition) ?? { count: 0 };
    tally.set(partition, { count: count + 1, found: Number(found), last: Number(id) });
  }
  const cut = [...tally].filter(([, { count, found }]) => found >= limit || count < found);
  return new Map(cut.map(([partition, { last }]) => [partition, last]));
}

/** Partitions, epochs and progress, each as an array of its own. */
const columnsOf = (owned: readonly OwnedPartition[]): readonly unknown[][] => [
  owned.map(({ partition }) => partition),
  owned.map(({ epoch }) => epoch),
  owned.map(({ progress }) => progress.low),
  owned.map(({ streamCreated }) => streamCreated ?? null),
  owned.map(({ progress }) => progress.position?.sequence ?? 0),
  owned.map(({ progress }) => progress.position?.eventId ?? null),
  owned.map(({ progress }) => JSON.stringify(progress.checkpoints)),
];

function toOwnedPartition(row: CursorRow): OwnedPartition {
  const position: MessagePosition | undefined =
    row.stream_event_id === null ? undefined : { sequence: Number(row.stream_seq), eventId: row.stream_event_id };
  return {
    partition: row.partition,
    epoch: Number(row.epoch),
    progress: new PartitionProgress(Number(row.low), position, row.checkpoints),
    streamCreated: row.stream_created ?? undefined,
  };
}

function toOutboxRow(row: EventRow): OutboxRow {
  return {
    outboxId: Number(row.id),
    partition: row.partition,
    id: row.event_id,
    key: row.key,
    subject: row.subject,
    type: row.type,
    source: row.source,
    time: row.time.toISOString(),
    trace: row.trace ?? undefined,
    data: row.data,
  };
}
