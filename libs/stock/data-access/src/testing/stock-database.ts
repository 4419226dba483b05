/** A database with the engine's schema, and of the catalogue what its views read. */
import { messagingTables } from '@onepool/platform-messaging';
import { createPool, partitionTables, runMigrations, withClient } from '@onepool/platform-postgres';
import { createTestDatabase } from '@onepool/testing-servers';
import type pg from 'pg';
import { stockTables } from '../stock-tables.ts';

export const SCHEMA = 'book';

const CATALOGUE = `
  CREATE SCHEMA catalog;
  CREATE TABLE catalog.catalog_epoch (epoch bigint);
  CREATE TABLE catalog.sku (sku_key integer PRIMARY KEY, code text);
  CREATE TABLE catalog.node (node_key integer PRIMARY KEY, code text, type text, lat float8, lng float8, active_from timestamptz, active_to timestamptz);
  CREATE TABLE catalog.channel (channel_key integer PRIMARY KEY, code text, node_types text[], nodes text[]);
  CREATE TABLE catalog.threshold (scope text, channel_key integer, node_key integer, sku_key integer, quantity integer);
  CREATE TABLE catalog.fence (fence_key integer, code text, skus text[], nodes text[], channels text[], quantity integer, share_percent integer, until timestamptz);
  CREATE TABLE catalog.stop_rule (mode text, nodes text[], channels text[], until timestamptz);
  CREATE TABLE catalog.allowance (skus text[], nodes text[], cap integer);
  CREATE TABLE catalog.receipt_policy (to_state text, nodes text[], reasons text[], inspect_within_hours integer);
  INSERT INTO catalog.catalog_epoch VALUES (1)`;

export interface StockDatabase {
  readonly url: string;
  /** Of one connection. */
  readonly pool: pg.Pool;
  readonly drop: () => Promise<void>;
}

export async function createStockDatabase(): Promise<StockDatabase> {
  const database = await createTestDatabase();
  const url = database.ownerUrl;
  await withClient(url, (client) => client.query(CATALOGUE));
  await runMigrations({ url, schemas: [{ schema: SCHEMA, parts: [partitionTables, messagingTables, stockTables] }] });
  const pool = createPool({
    url,
    max: 1,
    schema: SCHEMA,
    applicationName: 'stock-spec',
    statementTimeoutMs: 60_000,
    lockTimeoutMs: 10_000,
    idleInTransactionTimeoutMs: 60_000,
    connectTimeoutMs: 5_000,
  });
  const drop = async (): Promise<void> => {
    await pool.end();
    await database.drop();
  };
  return { url, pool, drop };
}
