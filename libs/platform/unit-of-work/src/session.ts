/** Where units of work get a connection from, each for one transaction. */
import type pg from 'pg';
import type { DataSource, EntityManager } from 'typeorm';

/** TypeORM's, where there are entities; a program that knows its tables by SQL alone gives its pool. */
export type Connections =
  { readonly dataSource: DataSource; readonly pool?: never } | { readonly pool: pg.Pool; readonly dataSource?: never };

/** One connection, lent. */
export interface Session {
  readonly client: pg.PoolClient;
  /** TypeORM's on this connection. */
  readonly manager: EntityManager | undefined;
  readonly begin: () => Promise<unknown>;
  readonly release: () => Promise<void>;
}

export async function lend({ dataSource, pool }: Connections): Promise<Session> {
  if (dataSource) {
    const runner = dataSource.createQueryRunner();
    const client = (await runner.connect()) as pg.PoolClient;
    return {
      client,
      manager: runner.manager,
      begin: () => runner.startTransaction(),
      release: () => runner.release(),
    };
  }
  const client = await pool.connect();
  return {
    client,
    manager: undefined,
    begin: () => client.query('BEGIN'),
    release: async () => client.release(),
  };
}
