/**
 * Statements of one lane that are under way, on one connection while any is: the database runs them in the order in
 * which they were sent, each a transaction of its own, and none waits for the answer to the one before.
 */
import { TransactionOutcomeUnknownError, isDefiniteFailure } from '@onepool/platform-postgres';
import type pg from 'pg';

interface Shared {
  readonly client: Promise<pg.PoolClient>;
  users: number;
  broken: boolean;
}

export class Flights {
  #shared: Shared | null = null;

  readonly #pool: pg.Pool;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /**
   * Sends a statement behind those under way; `onSent` is called when it is behind them. A connection that fails leaves the outcome of
   * every statement on it unknown.
   */
  async send<Row extends pg.QueryResultRow>(
    statement: pg.QueryConfig,
    onSent: () => void,
  ): Promise<pg.QueryResult<Row>> {
    const shared = (this.#shared ??= { client: this.#pool.connect(), users: 0, broken: false });
    shared.users += 1;
    try {
      const client = await this.#connected(shared);
      const answer = client.query<Row>(statement);
      onSent();
      return await answer.catch((error: unknown) => {
        if (isDefiniteFailure(error)) throw error;
        shared.broken = true;
        throw new TransactionOutcomeUnknownError(error);
      });
    } finally {
      shared.users -= 1;
      if ((shared.broken || shared.users === 0) && this.#shared === shared) this.#shared = null;
      if (shared.users === 0) await this.#giveBack(shared);
    }
  }

  async #connected(shared: Shared): Promise<pg.PoolClient> {
    try {
      return await shared.client;
    } catch (error) {
      shared.broken = true;
      throw error;
    }
  }

  async #giveBack({ client, broken }: Shared): Promise<void> {
    const connected = await client.catch(() => null);
    connected?.release(broken);
  }
}
