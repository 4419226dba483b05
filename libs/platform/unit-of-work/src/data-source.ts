/**
 * TypeORM's connection, and the pool of `pg` below it: entities, facts, tasks, consumers and plain SQL share one pool, so
 * that an app's connections are counted in one place.
 */
import { typeParsers, sessionOptions } from '@onepool/platform-postgres';
import type pg from 'pg';
import type { DataSource, DataSourceOptions, EntityTarget, ObjectLiteral } from 'typeorm';

export interface DataSourceSettings {
  /** Connection string of the role that the app works as. */
  readonly url: string;
  /** The module's schema, which its sessions find tables in. */
  readonly schema: string;
  readonly entities: readonly EntityTarget<ObjectLiteral>[];
  /** Connections at most. */
  readonly max: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** 30,000 unless given. */
  readonly statementTimeoutMs?: number;
}

/** How much longer the client waits than the server's own statement timeout before it gives the connection up. */
const CLIENT_TIMEOUT_SLACK_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;

/** For `new DataSource(…)` or `TypeOrmModule.forRootAsync(…)`. Migrations are literal SQL (ADR 0019), so nothing is synchronised. */
export function dataSourceOptions(settings: DataSourceSettings): DataSourceOptions {
  const { url, schema, entities, max, applicationName, statementTimeoutMs = 30_000 } = settings;
  return {
    type: 'postgres',
    url,
    schema,
    entities: [...entities] as never,
    installExtensions: false,
    synchronize: false,
    poolSize: max,
    applicationName,
    extra: {
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: statementTimeoutMs + CLIENT_TIMEOUT_SLACK_MS,
      keepAlive: true,
      types: typeParsers(),
      options: sessionOptions({
        search_path: schema,
        statement_timeout: statementTimeoutMs,
        lock_timeout: 5_000,
        idle_in_transaction_session_timeout: 5_000,
      }),
    },
  };
}

const watched = new WeakSet<pg.Pool>();

/**
 * The pool of an initialised data source, for what speaks SQL by itself. TypeORM listens to the errors of connections that
 * it lent itself; those that are lent from here are listened to, too, so that a broken socket does not end the process.
 */
export function poolOf(dataSource: DataSource): pg.Pool {
  const { master: pool } = dataSource.driver as unknown as { readonly master: pg.Pool };
  if (!watched.has(pool)) {
    watched.add(pool);
    pool.on('connect', (client) => client.on('error', () => undefined));
  }
  return pool;
}
