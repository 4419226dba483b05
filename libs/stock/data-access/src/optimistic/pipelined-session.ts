/**
 * Statements of one commit queue that are in flight, on one connection while any is: the database runs them in the order in
 * which they were sent, each as a transaction of its own, and none waits for the answer to the one before.
 */
import { TransactionOutcomeUnknownError, isDefiniteFailure } from '@onepool/platform-postgres';
import type pg from 'pg';

interface Connection {
  readonly client: Promise<pg.PoolClient>;
  statements: number;
  broken: boolean;
}

export class PipelinedSession {
  #connection: Connection | null = null;

  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /**
   * Sends a statement behind those in flight; `onSent` is called when it is behind them. A connection that fails leaves the
   * outcome of every statement on it unknown.
   *
   * @throws TransactionOutcomeUnknownError, or the error with which the database refused the statement
   */
  async send<Row extends pg.QueryResultRow>(
    statement: pg.QueryConfig,
    onSent: () => void,
  ): Promise<pg.QueryResult<Row>> {
    const connection = (this.#connection ??= { client: this.#pool.connect(), statements: 0, broken: false });
    connection.statements += 1;
    try {
      const client = await this.#connected(connection);
      const answer = client.query<Row>(statement);
      onSent();
      return await answer.catch((error: unknown) => {
        if (isDefiniteFailure(error)) throw error;
        connection.broken = true;
        throw new TransactionOutcomeUnknownError(error);
      });
    } finally {
      connection.statements -= 1;
      const isOver = connection.broken || connection.statements === 0;
      if (isOver && this.#connection === connection) this.#connection = null;
      if (connection.statements === 0) await this.#giveBack(connection);
    }
  }

  async #connected(connection: Connection): Promise<pg.PoolClient> {
    try {
      return await connection.client;
    } catch (error) {
      connection.broken = true;
      throw error;
    }
  }

  async #giveBack({ client, broken }: Connection): Promise<void> {
    const connected = await client.catch(() => null);
    connected?.release(broken);
  }
}
