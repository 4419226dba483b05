import pg from 'pg';
import { typeParsers } from './int8.ts';

export interface PoolOptions {
  /** Connection string, `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Connections at most. */
  readonly max: number;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  readonly idleInTransactionTimeoutMs: number;
  /** Bounds both opening a connection and waiting for a free one. */
  readonly connectTimeoutMs: number;
  /** `search_path` of every session, for instance `availability`. */
  readonly schema?: string;
  /**
   * Sends queries without waiting for earlier ones' answers; the server still runs them one after the other, each in
   * its own snapshot. For {@link inPipelinedTransaction}.
   */
  readonly pipeline?: boolean;
  /** Further settings of every session, by PostgreSQL's names: `{ jit: 'off' }`. */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Told about connections that broke, in use or idle. They leave the pool by themselves. */
  readonly onConnectionError?: (error: Error) => void;
}

/** How much longer the client waits than the server's own statement timeout before it gives the connection up. */
const CLIENT_TIMEOUT_SLACK_MS = 2_000;

/**
 * Opens a pool whose sessions carry their timeouts from the first moment, as startup parameters, so that there is no
 * statement, not even the first, which runs without them. Connects lazily.
 *
 * The server's timeouts cannot fire while the server is stopped or the network is cut, so the client also gives up,
 * shortly after the statement timeout; `inTransaction` then discards the connection.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const report = options.onConnectionError ?? (() => undefined);
  const settings: pg.PoolConfig & { readonly pipeline: boolean } = {
    pipeline: options.pipeline ?? false,
    connectionString: options.url,
    max: options.max,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.connectTimeoutMs,
    query_timeout: options.statementTimeoutMs + CLIENT_TIMEOUT_SLACK_MS,
    options: sessionOptions({
      statement_timeout: options.statementTimeoutMs,
      lock_timeout: options.lockTimeoutMs,
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs,
      ...(options.schema === undefined ? {} : { search_path: pg.escapeIdentifier(options.schema) }),
      ...options.settings,
    }),
    keepAlive: true,
    types: typeParsers(),
  };
  const pool = new pg.Pool(settings);
  // pg takes its own listener off while a connection is lent out; without ours a broken socket would end the process.
  pool.on('connect', (client) => client.on('error', report));
  pool.on('error', () => undefined);
  return pool;
}

/** Formats settings for the `options` startup parameter, in which a space separates and a backslash escapes. */
export function sessionOptions(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${String(value).replace(/[\\ ]/g, '\\$&')}`)
    .join(' ');
}
