/** A pool of stock for specs: a migrated database of its own, nodes, channels and SKUs, and engines on it. */
import { Catalog, catalogEntities } from '@onepool/catalog-data-access';
import { sessionOptions } from '@onepool/platform-postgres';
import { UnitOfWork, dataSourceOptions } from '@onepool/platform-unit-of-work';
import { type EngineOptions, Housekeeping, StockEngine } from '@onepool/stock-data-access';
import type { Reservation } from '@onepool/contracts';
import { DataSource } from 'typeorm';
import { CATALOG_PARTITION_COUNT, CATALOG_SCHEMA, PARTITION_COUNT, SCHEMA } from '../config.ts';
import { type DatabaseAddresses, createMigratedDatabase, migrated } from './migrated-database.ts';

export interface PoolFixture {
  /** Of the app's role. */
  readonly url: string;
  readonly ownerUrl: string;
  readonly catalog: Catalog;
  /** Of the schema's owner, for what a spec sets up or looks at by SQL. */
  readonly dataSource: DataSource;
  /** Another engine on the same database, as another replica has; closed with the fixture. */
  engine(options?: Partial<EngineOptions>): StockEngine;
  /** Receipts of `units` of `sku` at `node`. */
  receive(sku: string, node: string, units: number): Promise<void>;
  /** Deadlocks that the database has seen. Ends the engines first, for only then are their counts all in. */
  deadlocks(): Promise<number>;
  close(): Promise<void>;
}

export const CLIENT = 'spec';
/** Whoever asks in specs, without limits. */
export const SPEC = { actor: CLIENT, person: null, nodes: 'all', channels: 'all' } as const;
export const OTHER_SPEC = { ...SPEC, actor: 'other-spec' } as const;

/** On a busy machine nothing is given up that would have been done a moment later. */
const PATIENT = {
  schema: SCHEMA,
  partitionCount: PARTITION_COUNT,
  deadlineMs: 60_000,
  idleInTransactionTimeoutMs: 20_000,
};

/** `given`: a database that outlives the fixture; one of its own unless told. */
export async function createPoolFixture(nodes: number, skus: number, given?: DatabaseAddresses): Promise<PoolFixture> {
  const database = given ? { ...(await migrated(given)), drop: async () => undefined } : await createMigratedDatabase();
  const [dataSource, ofRole] = await Promise.all([openAsOwner(database.ownerUrl), openCatalog(database.url)]);
  const catalog = new Catalog(ofRole, unitsOn(ofRole));
  await catalog.putNodes(numbered('n', nodes).map((node) => ({ node, type: 'warehouse' as const })));
  await catalog.putChannels([
    { channel: 'web', type: 'web', nodes: 'all' },
    { channel: 'pos', type: 'pos', nodes: 'all' },
  ]);
  await catalog.putSkus(numbered('sku', skus).map((sku) => ({ sku })));
  const engines: StockEngine[] = [];
  const engine = (options: Partial<EngineOptions> = {}): StockEngine => {
    const made = new StockEngine({ ...PATIENT, url: database.url, ...options });
    engines.push(made);
    return made;
  };
  const first = engine();
  let received = 0;
  const closeEngines = async (): Promise<void> => {
    await Promise.all(engines.splice(0).map((made) => made.close()));
  };
  return {
    url: database.url,
    ownerUrl: database.ownerUrl,
    catalog,
    dataSource,
    engine,
    receive: async (sku, node, quantity) => {
      const settled = await first.recordMovements(SPEC, {
        id: `receipt-${received++}`,
        source: 'wms',
        movements: [{ type: 'receipt', sku, node, quantity }],
      });
      if (!settled.ok) throw new Error(settled.rejection.code);
    },
    deadlocks: async () => {
      await closeEngines();
      const rows: { deadlocks: number }[] = await dataSource.query(
        'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
      );
      return rows[0]?.deadlocks ?? Number.NaN;
    },
    close: async () => {
      await closeEngines();
      await Promise.all([dataSource.destroy(), ofRole.destroy()]);
      await database.drop();
    },
  };
}

const openAsOwner = (url: string): Promise<DataSource> =>
  new DataSource({
    type: 'postgres',
    url,
    installExtensions: false,
    extra: { options: sessionOptions({ search_path: SCHEMA }) },
  }).initialize();

const openCatalog = (url: string): Promise<DataSource> => {
  const settings = {
    url,
    schema: CATALOG_SCHEMA,
    entities: catalogEntities,
    max: 10,
    applicationName: 'spec-catalogue',
  };
  return new DataSource(dataSourceOptions(settings)).initialize();
};

const unitsOn = (dataSource: DataSource): UnitOfWork =>
  new UnitOfWork({
    dataSource,
    schema: CATALOG_SCHEMA,
    source: '/onepool/catalog',
    partitionCount: CATALOG_PARTITION_COUNT,
  });

/** `n1`, `n2`, …: the codes that the fixture gives to its nodes (`n`) and SKUs (`sku`). */
export const numbered = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);

/** Units of a reservation view by tally. */
export const unitsOf = (
  reservation: Reservation,
  tally: 'held' | 'confirmed' | 'fulfilled' | 'released' | 'expired' | 'cancelled',
): number => reservation.lines.flatMap(({ backings }) => backings).reduce((sum, backing) => sum + backing[tally], 0);

export { Housekeeping };
