import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@onepool/testing-servers';
import type pg from 'pg';
import { buildStale } from '../setting/build.ts';
import { PARTITION_COUNT, SCHEMA, fillDatabase, migrateByApp, withClient } from '../setting/database.ts';
import { verify } from '../setting/verify.ts';
import { Tally } from './contender.ts';
import type { Contender, Line, Surroundings } from './contender.ts';
import { EngineContender } from './engine.ts';
import { LimitContender } from './limit.ts';
import { MultiContender, chooseRows } from './multi.ts';
import { SingleContender } from './single.ts';

const FILLING = { skus: 20, nodesPerSku: 3, unitsPerRow: 100 };

let database: Surroundings;
let drop: () => Promise<void>;
let contenders: readonly Contender[];
let limit: LimitContender;

beforeAll(async () => {
  await buildStale('@onepool/availability');
  const made = await createTestDatabase();
  drop = made.drop;
  database = { url: made.url, ownerUrl: made.ownerUrl, schema: SCHEMA, partitionCount: PARTITION_COUNT };
  await migrateByApp(database);
  await fillDatabase(database, FILLING);
  contenders = [
    new EngineContender(database),
    new MultiContender({ ...database, connections: 2, pipelined: false, owner: 'bench-plain' }),
    new MultiContender({ ...database, connections: 2, pipelined: true, owner: 'bench-piped' }),
    new SingleContender({ ...database, connections: 2 }),
  ];
  limit = new LimitContender(database);
});

afterAll(async () => {
  await Promise.all([...contenders, limit].map((one) => one.close()));
  await drop();
});

/** Every row that one contender wrote, without what must differ: keys, ids and times. */
async function rowsOf(client: pg.Client, name: string): Promise<unknown> {
  const rows = async (sql: string): Promise<unknown[]> => (await client.query(sql, [name])).rows;
  const own = `(SELECT reservation_key FROM reservation WHERE owner = $1)`;
  const lasts =
    'round(extract(epoch FROM expires_at - created_at))::int AS lasts, extract(microsecond FROM created_at)::int % 1000 AS below_ms';
  const skus = `(SELECT s.code FROM sku_code s JOIN backing b USING (sku_key) WHERE b.reservation_key IN ${own})`;
  return {
    reservation: await rows(
      `SELECT channel_key, version, octet_length(body_hash) AS hash, expires_at = first_expires_at AS same, ${lasts},
              json_typeof(lines) AS kind, lines::jsonb #- '{0,1}' AS lines FROM reservation WHERE owner = $1`,
    ),
    backing: await rows(
      `SELECT b.node_key, b.kind, backing_no, line, held, confirmed, fulfilled, released, expired, cancelled, broken,
              fulfilment, accepted, picked, shipped, b.detail_key, (s.sku_key, s.node_key) = (b.sku_key, b.node_key) AS stands_there,
              expires_at = (SELECT expires_at FROM reservation WHERE owner = $1) AS same
         FROM backing b LEFT JOIN supply s USING (supply_key) WHERE reservation_key IN ${own}`,
    ),
    ledger: await rows(
      `SELECT sku_version, ordinal, l.node_key, from_state, to_state, quantity, reason, occurred_at = recorded_at AS same,
              (s.sku_key, s.node_key) = (l.sku_key, l.node_key) AS stands_there,
              source_event_id = (SELECT id FROM reservation WHERE owner = $1) AS named
         FROM ledger l JOIN source USING (source_key) LEFT JOIN supply s USING (supply_key)
        WHERE source.principal = $1 AND source.name = ''`,
    ),
    outbox: await rows(
      `SELECT subject, type, source, trace, event_id = key || '@1' AS named, data::jsonb - 'sku' - 'recordedAt' AS data,
              (data->>'recordedAt')::timestamptz = time AS same FROM outbox WHERE split_part(key, '/', 2) IN ${skus}`,
    ),
    gate: await rows(`SELECT version FROM sku_gate JOIN sku_code USING (sku_key) WHERE code IN ${skus}`),
    stock: await rows(
      `SELECT node_key, available, reserved, unapplied, on_hand FROM stock JOIN sku_code USING (sku_key) WHERE code IN ${skus} ORDER BY node_key`,
    ),
  };
}

describe('contenders', () => {
  it('write the same rows for the same hold', async () => {
    const claims: { owner: string; tally: Tally }[] = [...contenders, limit];
    for (const [index, contender] of contenders.entries()) await contender.reserve([{ sku: index + 1, quantity: 1 }]);
    await limit.writeBatch(contenders.length + 1, 1);
    await withClient(database, async (client) => {
      const written: unknown[] = [];
      for (const { owner: name } of claims) written.push(await rowsOf(client, name));
      const [engine, ...others] = written;
      for (const other of others) expect(other).toEqual(engine);
    });
    await verify(database, claims, FILLING.skus * FILLING.nodesPerSku * FILLING.unitsPerRow);
  });

  it('split a line over nodes when no node has it all, and refuse what is not there', async () => {
    const piped = contenders[2]!;
    const single = contenders[3]!;
    const whole = FILLING.nodesPerSku * FILLING.unitsPerRow;
    await piped.reserve([{ sku: 10, quantity: whole }]);
    await single.reserve([{ sku: 11, quantity: whole - 1 }]);
    await expect(single.reserve([{ sku: 11, quantity: 2 }])).rejects.toThrow('has not 2 units left');
    await expect(piped.reserve([{ sku: 10, quantity: 1 }])).rejects.toThrow('has not 1 units left');
    const { rows } = await withClient(database, (client) =>
      client.query(
        'SELECT sku_key, sum(available)::int AS left FROM stock WHERE sku_key IN (10, 11) GROUP BY 1 ORDER BY 1',
      ),
    );
    expect(rows).toEqual([
      { sku_key: 10, left: 0 },
      { sku_key: 11, left: 1 },
    ]);
  });

  it('take the gates of a cart in order, so that carts in opposite orders both succeed', async () => {
    const forwards: Line[] = [15, 16, 17].map((sku) => ({ sku, quantity: 1 }));
    const backwards = forwards.toReversed();
    await Promise.all(
      [0, 1, 2].flatMap((index) => [forwards, backwards].map((cart) => contenders[index]!.reserve(cart))),
    );
    const { rows } = await withClient(database, (client) =>
      client.query('SELECT DISTINCT version::int FROM sku_gate WHERE sku_key IN (15, 16, 17)'),
    );
    expect(rows).toEqual([{ version: 6 }]);
  });
});

describe('verification', () => {
  it('tells a contender that claims more than it wrote', async () => {
    const tally = new Tally();
    tally.add([{ sku: 1, quantity: 5 }]);
    await expect(verify(database, [{ owner: 'bench-nobody', tally }], 0)).rejects.toThrow(
      /bench-nobody: units held: 0/,
    );
  });
});

describe('chooseRows', () => {
  const row = (node: number, available: number) => ({
    key: node,
    sku: 1,
    node,
    nodeCode: `n${node}`,
    available,
    committed: 0,
    reserved: 0,
    safetyStock: 0,
    damaged: 0,
    qualityControl: 0,
    shortfall: 0,
    overdrawn: 0,
    unapplied: 0,
  });
  const chosen = (quantity: number) =>
    chooseRows({ sku: 1, quantity }, [row(1, 4), row(2, 6), row(3, 6)]).map(({ row: { node }, units }) => [
      node,
      units,
    ]);

  it('takes from the first node that has most, and splits only when it must', () => {
    expect(chosen(6)).toEqual([[2, 6]]);
    expect(chosen(9)).toEqual([
      [2, 6],
      [3, 3],
    ]);
  });
});
