/**
 * Baseline `single`: one prepared statement, committed by itself, that takes the gate by stepping its version, picks the
 * node with most units, holds them and writes every row: one round trip.
 *
 * Its reads are as old as the statement's start, so the pick is a guess which the row's own lock then confirms or
 * refuses. A guess that fails aborts the statement, and `multi` decides that request.
 */
import { factKey, partitionOf } from '@onepool/platform-messaging';
import pg from 'pg';
import { EXPIRES_IN_SECONDS, Tally, newReservationId, newReservationKey, skuCode } from './contender.ts';
import type { Contender, Line, Surroundings } from './contender.ts';
import { MultiContender, baselinePool, readCatalogue } from './multi.ts';
import type { Catalogue } from './multi.ts';
import { AVAILABLE, FACT_SOURCE, FACT_SUBJECT, HOLD_REASON, IS_STOCK, RESERVED, bodyHash } from './rows.ts';

export interface SingleSetup extends Surroundings {
  readonly connections: number;
}

/** Raised on purpose, by a division by zero, when the guess was wrong. */
const GUESS_FAILED = '22012';

export class SingleContender implements Contender {
  readonly owner = 'bench-single';
  readonly tally = new Tally();
  readonly #pool: pg.Pool;
  readonly #catalogue: Promise<Catalogue>;
  readonly #fallback: MultiContender;

  readonly #setup: SingleSetup;

  constructor(setup: SingleSetup) {
    this.#setup = setup;
    this.#pool = baselinePool(setup, setup.connections);
    this.#catalogue = readCatalogue(this.#pool, this.owner);
    this.#fallback = new MultiContender({
      ...setup,
      connections: 2,
      pipelined: true,
      owner: this.owner,
      tally: this.tally,
    });
  }

  async reserve(lines: readonly Line[]): Promise<void> {
    const [line, ...more] = lines;
    if (line === undefined || more.length > 0) throw new RangeError('single reserves exactly one line');
    const { channelKey, sourceKey } = await this.#catalogue;
    const code = skuCode(line.sku);
    const partition = partitionOf(factKey('sku', code), this.#setup.partitionCount);
    const values = [line.sku, line.quantity, newReservationKey(), this.owner, newReservationId(), bodyHash(lines)];
    try {
      await this.#pool.query({
        name: 'reserve',
        text: RESERVE,
        values: [...values, channelKey, partition, code, sourceKey],
      });
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== GUESS_FAILED) throw error;
      return this.#fallback.reserve(lines);
    }
    this.tally.add(lines);
  }

  async close(): Promise<void> {
    await Promise.all([this.#pool.end(), this.#fallback.close()]);
  }
}

const EXPIRES = `t.at + interval '${EXPIRES_IN_SECONDS} seconds'`;
const RESERVE = `WITH
  gate AS (UPDATE sku_gate SET version = version + 1 WHERE sku_key = $1::int RETURNING version),
  pick AS (
    SELECT best.supply_key, gate.version, date_trunc('milliseconds', clock_timestamp()) AS at
      FROM gate CROSS JOIN LATERAL (
        SELECT s.supply_key FROM supply s
         WHERE s.sku_key = $1::int AND s.available >= $2::int AND ${IS_STOCK}
         ORDER BY s.available DESC, s.node_key LIMIT 1) AS best),
  t AS (
    UPDATE supply s SET available = s.available - $2::int, reserved = s.reserved + $2::int
      FROM pick WHERE s.supply_key = pick.supply_key AND s.available >= $2::int
    RETURNING s.*, pick.version, pick.at),
  created AS (
    INSERT INTO reservation (reservation_key, owner, id, body_hash, channel_key, version, created_at, first_expires_at, expires_at, lines)
    SELECT $3::bigint, $4::text, $5::text, $6::bytea, $7::int, 1, t.at, ${EXPIRES}, ${EXPIRES},
           json_build_array(json_build_array('1', $1::int, $2::int, $2::int, t.version, json_build_array(json_build_array(t.node_key, $2::int))))
      FROM t),
  backings AS (
    INSERT INTO backing (reservation_key, supply_key, expires_at, sku_key, node_key, backing_no, line, held, confirmed, fulfilled, released, expired, cancelled, broken)
    SELECT $3::bigint, t.supply_key, ${EXPIRES}, $1::int, t.node_key, 0, 0, $2::int, 0, 0, 0, 0, 0, 0 FROM t),
  entries AS (
    INSERT INTO ledger (sku_key, ordinal, sku_version, supply_key, quantity, occurred_at, recorded_at, node_key, from_state, to_state, reason, source_key, source_event_id)
    SELECT $1::int, 0, t.version, t.supply_key, $2::int, t.at, t.at, t.node_key, ${AVAILABLE}, ${RESERVED}, '${HOLD_REASON}', $10::int, $5::text FROM t),
  facts AS (
    INSERT INTO outbox (partition, key, subject, event_id, type, source, time, data)
    SELECT $8::smallint, 'sku/' || $9::text, '${FACT_SUBJECT}', 'sku/' || $9::text || '@' || t.version, '${FACT_SUBJECT}', '${FACT_SOURCE}', t.at,
           json_build_object('sku', $9::text, 'fromVersion', t.version - 1, 'toVersion', t.version,
             'recordedAt', to_char(t.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
             'rows', json_build_array(json_build_object('node', n.code,
               'onHand', t.available + t.committed + t.reserved + t.safety_stock + t.damaged + t.quality_control - t.shortfall, 'available', t.available,
               'committed', t.committed, 'reserved', t.reserved, 'safetyStock', t.safety_stock, 'damaged', t.damaged,
               'qualityControl', t.quality_control, 'shortfall', t.shortfall, 'overdrawn', t.overdrawn,
               'unapplied', t.unapplied)),
             'causes', json_build_array(json_build_object('kind', 'promise')))
      FROM t JOIN rules_node n USING (node_key))
  SELECT 1 / count(*) FROM t`;
