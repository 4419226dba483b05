/**
 * `limit`: the rows of single-unit holds of one SKU, written in batches of the engine's size by one prepared statement
 * on one connection, with no queue, no lock taken before, nothing read and nothing decided. Two batches are under way at
 * any time, so that the server never waits. No engine on these tables can be faster with this batch size.
 */
import type pg from 'pg';
import { EXPIRES_IN_SECONDS, Tally, newReservationId, newReservationKey } from './contender.ts';
import type { Line, Surroundings } from './contender.ts';
import { baselinePool, readCatalogue } from './multi.ts';
import type { Catalogue } from './multi.ts';
import {
  AVAILABLE,
  FACT_SOURCE,
  FACT_SUBJECT,
  HOLD_REASON,
  IS_STOCK,
  RESERVED,
  ROW_COLUMNS,
  answeredLine,
  bodyHash,
  factOf,
  holdUnits,
} from './rows.ts';
import type { Row } from './rows.ts';

/** The share of a turn that is not counted, as in the closed loop. */
const RAMP_SHARE = 0.15;

interface State {
  version: number;
  readonly rows: Row[];
  readonly catalogue: Catalogue;
}

export class LimitContender {
  readonly owner = 'bench-limit';
  readonly tally = new Tally();
  readonly #pool: pg.Pool;
  readonly #partitionCount: number;

  constructor(surroundings: Surroundings) {
    this.#pool = baselinePool(surroundings, 1, true);
    this.#partitionCount = surroundings.partitionCount;
  }

  /** Writes batches of `size` for so long; answers the reservations written a second after the ramp. */
  async run(sku: number, size: number, seconds: number): Promise<number> {
    const state = await this.#read(sku);
    const line: Line = { sku, quantity: 1 };
    const begin = performance.now();
    const from = begin + seconds * 1_000 * RAMP_SHARE;
    const until = begin + seconds * 1_000;
    let counted = 0;
    const client = await this.#pool.connect();
    const write = (): Promise<unknown> =>
      client.query({ name: 'write-batch', text: WRITE, values: this.#build(line, size, state) });
    try {
      let first = write();
      let second = write();
      for (let now = begin; now < until; now = performance.now()) {
        await first;
        [first, second] = [second, write()];
        this.#tell(line, size);
        const done = performance.now();
        if (done >= from && done <= until) counted += size;
      }
      await Promise.all([first, second]);
      this.#tell(line, 2 * size);
    } finally {
      client.release();
    }
    return (counted * 1_000) / (until - from);
  }

  /** One batch, for specs. */
  async writeBatch(sku: number, size: number): Promise<void> {
    const line: Line = { sku, quantity: 1 };
    const values = this.#build(line, size, await this.#read(sku));
    await this.#pool.query({ name: 'write-batch', text: WRITE, values });
    this.#tell(line, size);
  }

  #tell(line: Line, reservations: number): void {
    this.tally.add(Array<Line>(reservations).fill(line), reservations);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #read(sku: number): Promise<State> {
    const catalogue = await readCatalogue(this.#pool, this.owner);
    const gate = await this.#pool.query<{ version: number }>('SELECT version FROM sku_gate WHERE sku_key = $1', [sku]);
    const { rows } = await this.#pool.query<Omit<Row, 'nodeCode'>>(
      `SELECT ${ROW_COLUMNS} FROM supply s WHERE s.sku_key = $1 AND ${IS_STOCK} ORDER BY s.node_key`,
      [sku],
    );
    return {
      version: gate.rows[0]?.version ?? Number.NaN,
      rows: rows.map((row) => ({ ...row, nodeCode: catalogue.nodeCodes.get(row.node) ?? '' })),
      catalogue,
    };
  }

  /** Units come from the nodes in turn, as the engine takes them from nodes that have equally many. */
  #build(line: Line, size: number, state: State): unknown[] {
    const before = state.version;
    const nowMs = Date.now();
    const entries = Array.from({ length: size }, (_, index) => {
      const row = state.rows[index % state.rows.length];
      if (row === undefined) throw new Error(`SKU ${line.sku} has no stock rows`);
      const lines = [answeredLine(0, line, before + index + 1, [{ row, units: 1 }])];
      return { key: newReservationKey(), id: newReservationId(), row, lines: JSON.stringify(lines) };
    });
    const taken = state.rows.map((_, index) => Math.floor((size - index - 1) / state.rows.length) + 1);
    const touched = state.rows.slice(0, size);
    touched.forEach((row, index) => (state.rows[index] = holdUnits(row, taken[index] ?? 0)));
    state.version += size;
    const changed = state.rows.slice(0, size);
    const fact = factOf(line.sku, [before, state.version], changed, nowMs, this.#partitionCount);
    return [
      line.sku,
      before,
      this.owner,
      state.catalogue.channelKey,
      nowMs,
      entries.map(({ key }) => key),
      entries.map(({ id }) => id),
      entries.map(() => bodyHash([line])),
      entries.map(({ row }) => row.key),
      entries.map(({ row }) => row.node),
      entries.map(({ lines }) => lines),
      touched.map(({ key }) => key),
      taken.slice(0, size),
      size,
      fact.partition,
      fact.key,
      fact.eventId,
      fact.data,
      state.catalogue.sourceKey,
    ];
  }
}

const NOW = 'to_timestamp($5::float8 / 1000.0)';
const EXPIRES = `to_timestamp($5::float8 / 1000.0 + ${EXPIRES_IN_SECONDS})`;
const HELD = `unnest($6::bigint[], $7::text[], $8::bytea[], $9::bigint[], $10::int[], $11::json[]) WITH ORDINALITY AS x (key, id, hash, supply, node, lines, i)`;
const WRITE = `WITH
  gate AS (UPDATE sku_gate SET version = $2::bigint + $14::int WHERE sku_key = $1::int),
  rows AS (
    UPDATE supply s SET available = s.available - x.units, reserved = s.reserved + x.units
      FROM unnest($12::bigint[], $13::int[]) AS x (supply, units) WHERE s.supply_key = x.supply),
  created AS (
    INSERT INTO reservation (reservation_key, owner, id, body_hash, channel_key, version, created_at, first_expires_at, expires_at, lines)
    SELECT x.key, $3::text, x.id, x.hash, $4::int, 1, ${NOW}, ${EXPIRES}, ${EXPIRES}, x.lines FROM ${HELD}),
  backings AS (
    INSERT INTO backing (reservation_key, supply_key, expires_at, sku_key, node_key, backing_no, line, held, confirmed, fulfilled, released, expired, cancelled, broken)
    SELECT x.key, x.supply, ${EXPIRES}, $1::int, x.node, 0, 0, 1, 0, 0, 0, 0, 0, 0 FROM ${HELD}),
  entries AS (
    INSERT INTO ledger (sku_key, ordinal, sku_version, supply_key, quantity, occurred_at, recorded_at, node_key, from_state, to_state, reason, source_key, source_event_id)
    SELECT $1::int, x.i - 1, $2::bigint + x.i, x.supply, 1, ${NOW}, ${NOW}, x.node, ${AVAILABLE}, ${RESERVED}, '${HOLD_REASON}', $19::int, x.id FROM ${HELD})
  INSERT INTO outbox (partition, key, subject, event_id, type, source, time, data)
  SELECT $15::smallint, $16::text, '${FACT_SUBJECT}', $17::text, '${FACT_SUBJECT}', '${FACT_SOURCE}', ${NOW}, $18::json
   WHERE pg_current_xact_id() IS NOT NULL`;
