/** Databases of the benchmark: made, migrated by the app's own program, filled by SQL, and measured against. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { skuCode } from '../contenders/contender.ts';
import type { Surroundings } from '../contenders/contender.ts';

/** The workspace's root. */
export const root = join(import.meta.dirname, '../../../..');
/** The app's own. */
export const SCHEMA = 'availability';
export const PARTITION_COUNT = 8;

export interface BenchDatabase extends Surroundings {
  drop(): Promise<void>;
}

/** `appUrl`: as who the app works there; the same role unless told. */
export async function createDatabase(serverUrl: string, name: string, appUrl = serverUrl): Promise<BenchDatabase> {
  const database = `onepool_bench_${process.pid}_${name}`;
  await onServer(serverUrl, `CREATE DATABASE ${database}`);
  const at = (url: string): string => Object.assign(new URL(url), { pathname: `/${database}` }).href;
  const made = { url: at(appUrl), ownerUrl: at(serverUrl) };
  await migrateByApp(made);
  const drop = (): Promise<void> => onServer(serverUrl, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  return { ...made, schema: SCHEMA, partitionCount: PARTITION_COUNT, drop };
}

/** By the program that an operator runs, as it was built. */
export async function migrateByApp(database: Pick<Surroundings, 'url' | 'ownerUrl'>): Promise<void> {
  const program = join(root, 'apps/availability/dist/migrate.js');
  await promisify(execFile)(process.execPath, [program], { env: { ...process.env, ...databaseVariables(database) } });
}

/** The addresses as the app's own programs take them. */
export const databaseVariables = ({ url, ownerUrl }: Pick<Surroundings, 'url' | 'ownerUrl'>) => ({
  DATABASE_URL: url,
  DATABASE_OWNER_URL: ownerUrl,
});

export interface Filling {
  readonly skus: number;
  readonly nodesPerSku: number;
  readonly unitsPerRow: number;
  /** Further SKUs that have none; default 0. */
  readonly skusWithoutStock?: number;
}

/** Nodes `n1` …, channel `web`, SKUs with keys and codes in step, and equal stock of each SKU at each node. */
export async function fillDatabase(database: Surroundings, filling: Filling): Promise<void> {
  const { skus: stocked, nodesPerSku, unitsPerRow, skusWithoutStock = 0 } = filling;
  const skus = stocked + skusWithoutStock;
  await withClient(database, async (client) => {
    await client.query(
      `INSERT INTO catalog.node (code, type) SELECT 'n' || i, 'warehouse' FROM generate_series(1, ${nodesPerSku}) AS i`,
    );
    await client.query(`INSERT INTO catalog.channel (code, type) VALUES ('web', 'web')`);
    await client.query(
      `INSERT INTO catalog.sku (code) SELECT 'S' || lpad(i::text, 8, '0') FROM generate_series(1, ${skus}) AS i ORDER BY i`,
    );
    const { rows } = await client.query<{ code: string }>('SELECT code FROM sku_code WHERE sku_key = $1', [skus]);
    if (rows[0]?.code !== skuCode(skus)) throw new Error('SKU keys and codes are out of step');
    await client.query(`INSERT INTO sku_gate (sku_key) SELECT i FROM generate_series(1, ${skus}) AS i`);
    await client.query(
      `INSERT INTO supply (supply_key, sku_key, node_key, available)
       SELECT nextval('supply_key'), i, n, ${unitsPerRow} FROM generate_series(1, ${stocked}) AS i, generate_series(1, ${nodesPerSku}) AS n`,
    );
    await client.query('UPDATE catalog.catalog_epoch SET epoch = epoch + 1');
    await client.query('VACUUM ANALYZE');
  });
}

/** Writes out what is dirty, so that no turn pays for another's pages. */
export const checkpoint = (database: Surroundings): Promise<void> =>
  withClient(database, async (client) => void (await client.query('CHECKPOINT')));

/** SQL as the owner. */
export async function withClient<T>(
  { ownerUrl, schema }: Pick<Surroundings, 'ownerUrl' | 'schema'>,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({ connectionString: ownerUrl, options: `-c search_path=${schema}` });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const onServer = (serverUrl: string, sql: string): Promise<void> =>
  withClient({ ownerUrl: serverUrl, schema: 'public' }, async (client) => void (await client.query(sql)));
