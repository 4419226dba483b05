/**
 * Baseline `multi`: one reservation, one transaction. BEGIN, lock the gates in order, read the stock rows, decide here,
 * write everything in one statement, COMMIT; each statement prepared. With `pipelined` the statements that need no
 * answer first are sent together, which leaves two round trips.
 */
import { SellingRules, allocationOf, lowestKey, mostAvailable, policyOf } from '@onepool/stock-domain';
import pg from 'pg';
import { CHANNEL, Tally, newReservationId, newReservationKey } from './contender.ts';
import type { Contender, Line, Surroundings } from './contender.ts';
import { IS_STOCK, ROW_COLUMNS, answeredLine, bodyHash, factOf, holdUnits } from './rows.ts';
import type { Backed, Row } from './rows.ts';
import { writeOne } from './write-one.ts';
import type { Statement } from './write-one.ts';

export interface MultiSetup extends Surroundings {
  readonly connections: number;
  readonly pipelined: boolean;
  readonly owner?: string;
  readonly tally?: Tally;
}

interface Gate {
  readonly sku: number;
  readonly version: number;
}

type Answers = readonly pg.QueryResult[];

/** The keys that a SQL baseline looks up once: the engine, too, keeps its catalogue in memory. */
export interface Catalogue {
  /** As whom the ledger names the baseline. */
  readonly sourceKey: number;
  readonly channelKey: number;
  readonly nodeCodes: ReadonlyMap<number, string>;
}

export async function readCatalogue(pool: pg.Pool, owner: string): Promise<Catalogue> {
  await pool.query(`INSERT INTO source (principal, name) VALUES ($1, '') ON CONFLICT DO NOTHING`, [owner]);
  const sources = await pool.query<{ source_key: number }>('SELECT source_key FROM source WHERE principal = $1', [
    owner,
  ]);
  const nodes = await pool.query<{ node_key: number; code: string }>('SELECT node_key, code FROM rules_node');
  const channels = await pool.query<{ channel_key: number }>('SELECT channel_key FROM rules_channel WHERE code = $1', [
    CHANNEL,
  ]);
  return {
    sourceKey: sources.rows[0]?.source_key ?? Number.NaN,
    channelKey: channels.rows[0]?.channel_key ?? 0,
    nodeCodes: new Map(nodes.rows.map(({ node_key, code }) => [node_key, code])),
  };
}

/**
 * A pool without client-side time-outs: nothing that a baseline could be slowed by. Prepared statements are planned once
 * and never compiled, and an int8 is a number, as in the engine.
 */
export function baselinePool({ url, schema }: Surroundings, connections: number, pipelined = false): pg.Pool {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, 'text', Number);
  const options = `-c search_path=${schema} -c plan_cache_mode=force_generic_plan -c jit=off`;
  const pool = new pg.Pool({ connectionString: url, max: connections, options, pipeline: pipelined, types });
  // Its database may be dropped while the last of its connections are still closing.
  pool.on('error', () => undefined);
  return pool;
}

export class MultiContender implements Contender {
  readonly owner: string;
  readonly tally: Tally;
  readonly #pool: pg.Pool;
  readonly #catalogue: Promise<Catalogue>;

  readonly #setup: MultiSetup;

  constructor(setup: MultiSetup) {
    this.#setup = setup;
    this.owner = setup.owner ?? 'bench-multi';
    this.tally = setup.tally ?? new Tally();
    this.#pool = baselinePool(setup, setup.connections, setup.pipelined);
    this.#catalogue = readCatalogue(this.#pool, this.owner);
  }

  async reserve(lines: readonly Line[]): Promise<void> {
    const catalogue = await this.#catalogue;
    const connection = await this.#pool.connect();
    try {
      const skus = lines.map(({ sku }) => sku).sort((a, b) => a - b);
      const [, gates, stock] = await this.#send(connection, [BEGIN, lockGates(skus), readStock(skus)]);
      const write = this.#decide(lines, gates?.rows as Gate[], stock?.rows as StockRecord[], catalogue);
      const [, committed] = await this.#send(connection, [write, COMMIT]);
      if (committed?.command !== 'COMMIT') throw new Error('the transaction was rolled back');
    } catch (error) {
      await connection.query('ROLLBACK').catch(() => undefined);
      throw error;
    } finally {
      connection.release();
    }
    this.tally.add(lines);
  }

  close(): Promise<void> {
    return this.#pool.end();
  }

  async #send(connection: pg.PoolClient, statements: readonly (Statement | string)[]): Promise<Answers> {
    const ask = (statement: Statement | string): Promise<pg.QueryResult> =>
      typeof statement === 'string'
        ? connection.query(statement)
        : connection.query({ ...statement, values: [...statement.values] });
    if (this.#setup.pipelined) return Promise.all(statements.map(ask));
    const answers: pg.QueryResult[] = [];
    for (const statement of statements) answers.push(await ask(statement));
    return answers;
  }

  #decide(lines: readonly Line[], gates: readonly Gate[], stock: readonly StockRecord[], catalogue: Catalogue) {
    const nowMs = stock[0]?.now ?? Number.NaN;
    const rows = stock.map((record): Row => rowOf(record, catalogue));
    const decided = lines.map((line) => {
      const version = gates.find(({ sku }) => sku === line.sku)?.version ?? Number.NaN;
      const backed = chooseRows(line, rows);
      const changed = backed.map(({ row, units }) => holdUnits(row, units));
      const fact = factOf(line.sku, [version, version + 1], changed, nowMs, this.#setup.partitionCount);
      return { line, version: version + 1, backed, fact };
    });
    return writeOne({
      key: newReservationKey(),
      owner: this.owner,
      id: newReservationId(),
      hash: bodyHash(lines),
      channelKey: catalogue.channelKey,
      sourceKey: catalogue.sourceKey,
      nowMs,
      lines: JSON.stringify(
        decided.map(({ line, version, backed }, index) => answeredLine(index, line, version, backed)),
      ),
      steps: decided.map(({ line, version, fact }) => ({ sku: line.sku, version, fact })),
      backings: decided.flatMap(({ version, backed }, line) => backed.map((one) => ({ ...one, line, version }))),
    });
  }
}

const LARGEST_FIRST = policyOf([mostAvailable, lowestKey]);
const NO_RULES = new SellingRules([], [], []);

/** Most available first; one node for the whole line if any has enough. @throws when the units are not there. */
export function chooseRows({ sku, quantity }: Line, rows: readonly Row[]): readonly Backed[] {
  const own = rows.filter((row) => row.sku === sku && row.available > 0);
  const best = own.reduce<Row | null>((most, row) => (most && most.available >= row.available ? most : row), null);
  if (best && best.available >= quantity) return [{ row: best, units: quantity }];
  const { allocations, leftover } = allocationOf(
    LARGEST_FIRST,
    { quantity, destination: null, rules: NO_RULES },
    own.map(({ node, available }) => ({ node, atp: available })),
  );
  if (leftover > 0) throw new Error(`SKU ${sku} has not ${quantity} units left`);
  return allocations.flatMap(({ node, quantity: units }) => {
    const row = own.find((candidate) => candidate.node === node);
    return row ? [{ row, units }] : [];
  });
}

type StockRecord = Omit<Row, 'nodeCode'> & { readonly now: number };

const rowOf = ({ now: _now, ...row }: StockRecord, { nodeCodes }: Catalogue): Row => ({
  ...row,
  nodeCode: nodeCodes.get(row.node) ?? '',
});

const BEGIN: Statement = { name: 'begin', text: 'BEGIN', values: [] };
const COMMIT: Statement = { name: 'commit', text: 'COMMIT', values: [] };
/** Read after the locks, in the engine's precision. */
const NOW = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now';

const lockGates = (skus: readonly number[]): Statement =>
  skus.length === 1
    ? {
        name: 'lock-gate',
        text: 'SELECT sku_key AS sku, version FROM sku_gate WHERE sku_key = $1 FOR NO KEY UPDATE',
        values: skus,
      }
    : {
        name: 'lock-gates',
        text: 'SELECT sku_key AS sku, version FROM sku_gate WHERE sku_key = ANY($1::int[]) ORDER BY sku_key FOR NO KEY UPDATE',
        values: [skus],
      };

const readStock = (skus: readonly number[]): Statement =>
  skus.length === 1
    ? {
        name: 'read-sku',
        text: `SELECT ${ROW_COLUMNS}, ${NOW} FROM supply s WHERE s.sku_key = $1 AND ${IS_STOCK}`,
        values: skus,
      }
    : {
        name: 'read-skus',
        text: `SELECT ${ROW_COLUMNS}, ${NOW} FROM supply s WHERE s.sku_key = ANY($1::int[]) AND ${IS_STOCK}`,
        values: [skus],
      };
