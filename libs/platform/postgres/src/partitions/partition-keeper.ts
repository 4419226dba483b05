/**
 * Keeps partitions made ahead of their time, in every replica, one of which does it at a time; and watches how far they
 * reach. While it cannot, rows fall into the default partition, from where it moves them later.
 */
import { Recurring } from '@onepool/platform-clock';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import pg from 'pg';
import { underSessionLock } from '../under-session-lock.ts';
import { retryOnLock } from './retry-on-lock.ts';

const MAKE = commitPoint('postgres.make_partitions');

export interface PartitionKeeperOptions {
  readonly pool: pg.Pool;
  /** Has `partitionTables`. */
  readonly schema: string;
  /** Mean pause before the first pass and between passes, in milliseconds. Defaults 1,000 and 600,000. */
  readonly firstAfterMs?: number;
  readonly intervalMs?: number;
  /** After every pass. */
  readonly onState?: (states: readonly PartitionState[]) => void;
  /** When what should be warned of has changed: sentences. */
  readonly onWarnings?: (warnings: readonly string[]) => void;
  readonly onError?: (error: unknown) => void;
}

export interface PartitionState {
  readonly table: string;
  /** For how many days from now on there are partitions, 365 at most; 0 when that of the present is missing. */
  readonly daysAhead: number;
  /** Whether rows fell into the default partition. */
  readonly hasFallen: boolean;
}

export const DAYS_AHEAD = 14;
const DAYS_AHEAD_MIN = 3;
/** Moving a month of rows takes longer than any other statement may. */
const MOVE_TIMEOUT_MS = 600_000;

export class PartitionKeeper {
  readonly #options: PartitionKeeperOptions;
  readonly #recurring: Recurring;
  #warnings: readonly string[] = [];
  /** Looks that have begun, and the newest of those that were told. */
  #looks = 0;
  #told = 0;

  constructor(options: PartitionKeeperOptions) {
    this.#options = options;
    const { firstAfterMs = 1_000, intervalMs = 600_000, onError } = options;
    this.#recurring = new Recurring({ work: () => this.once(), firstAfterMs, intervalMs, onError });
  }

  /** What an operator should know, as of the last pass. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  start(): void {
    this.#recurring.start();
  }

  /** Waits for the partition that is being made. */
  stop(): Promise<void> {
    return this.#recurring.stop();
  }

  /** One pass. What it could not make shows in the warnings, which are renewed all the same. */
  async once(): Promise<void> {
    const { pool, schema } = this.#options;
    try {
      await underSessionLock(pool, `${schema}.partitions`, (client) => this.#makeMissing(client));
    } finally {
      await this.#look();
    }
  }

  /** Of two passes at once, the one that looked last has the last word. */
  async #look(): Promise<void> {
    const { pool, schema, onState, onWarnings } = this.#options;
    const look = ++this.#looks;
    const states = await readPartitionState(pool, schema);
    if (look < this.#told) return;
    this.#told = look;
    onState?.(states);
    const warnings = states.flatMap(warningsOf);
    const before = this.#warnings;
    this.#warnings = warnings;
    if (warnings.join('\n') !== before.join('\n')) onWarnings?.(warnings);
  }

  /** One a statement, so that what waits behind it waits for one only. */
  async #makeMissing(client: pg.PoolClient): Promise<void> {
    const schema = pg.escapeIdentifier(this.#options.schema);
    const text = `SELECT ${schema}.make_partitions($1, 1) AS made`;
    // pg's own limit of time for one query, which its types leave out.
    const statement: pg.QueryConfig & { readonly query_timeout: number } = {
      text,
      values: [DAYS_AHEAD],
      query_timeout: MOVE_TIMEOUT_MS,
    };
    await client.query(`SELECT set_config('statement_timeout', $1, false)`, [String(MOVE_TIMEOUT_MS)]);
    try {
      for (let made = 1; made > 0 && !this.#recurring.signal.aborted;) {
        made = await retryOnLock(async () => {
          const { rows } = await committing(MAKE, () => client.query<{ made: number }>(statement));
          return rows[0]?.made ?? 0;
        });
      }
    } finally {
      await client.query('RESET statement_timeout');
    }
  }
}

export async function readPartitionState(
  client: Pick<pg.Pool, 'query'>,
  schema: string,
): Promise<readonly PartitionState[]> {
  const { rows } = await client.query<PartitionState>(
    `SELECT table_name AS "table", has_fallen AS "hasFallen",
            least(365, greatest(0, extract(epoch FROM coalesce(ready_until, 'infinity') - clock_timestamp()) / 86400))::float8 AS "daysAhead"
       FROM ${pg.escapeIdentifier(schema)}.partition_state()`,
  );
  return rows;
}

function warningsOf({ table, daysAhead, hasFallen }: PartitionState): readonly string[] {
  return [
    ...(daysAhead < DAYS_AHEAD_MIN
      ? [`${table} has partitions for ${daysAhead.toFixed(1)} days, fewer than ${DAYS_AHEAD_MIN}`]
      : []),
    ...(hasFallen ? [`rows of ${table} fell into its default partition`] : []),
  ];
}
