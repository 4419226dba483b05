/** Asks the database whether what contenders were told is what it holds. */
import type { Surroundings, Tally } from '../contenders/contender.ts';
import { withClient } from './database.ts';

export interface Claim {
  readonly owner: string;
  readonly tally: Readonly<Pick<Tally, 'reservations' | 'lines' | 'units'>>;
}

/** A result that is wrong; the benchmark ends with exit code 1. */
export class WrongResultsError extends Error {
  override readonly name = 'WrongResultsError';
}

const NUMBERS = `SELECT
  (SELECT count(*) FROM reservation WHERE owner = $1)::float8 AS reservations,
  (SELECT count(*) FROM backing b JOIN reservation r USING (reservation_key) WHERE r.owner = $1)::float8 AS backings,
  (SELECT coalesce(sum(b.held), 0) FROM backing b JOIN reservation r USING (reservation_key) WHERE r.owner = $1)::float8 AS held,
  (SELECT coalesce(sum(quantity), 0) FROM ledger JOIN source USING (source_key) WHERE principal = $1 AND reason = 'hold')::float8 AS ledgered`;

/** Facts of SKUs that do not follow the one before, and SKUs whose last version no fact tells. */
export const FACT_GAPS = `
  (SELECT count(*) FROM (
     SELECT (data->>'fromVersion')::bigint
              - lag((data->>'toVersion')::bigint, 1, 0::bigint) OVER (PARTITION BY key ORDER BY id) AS gap
       FROM outbox) AS steps WHERE gap <> 0)::float8 AS broken_chains,
  (SELECT count(*) FROM sku_gate g JOIN sku_code s USING (sku_key)
     LEFT JOIN (SELECT key, max((data->>'toVersion')::bigint) AS told FROM outbox GROUP BY key) AS o ON o.key = 'sku/' || s.code
    WHERE g.version <> coalesce(o.told, 0))::float8 AS untold`;

const BOOK = `SELECT
  (SELECT sum(available) FROM stock)::float8 AS available,
  (SELECT sum(reserved) FROM stock)::float8 AS reserved,
  (SELECT sum(version) FROM sku_gate)::float8 AS versions,
  ${FACT_GAPS}`;

/**
 * Reservations, granted units and ledger sums of every contender equal its requests; the stock moved by exactly these;
 * each line took one version; and the facts of each SKU chain without a gap up to its version.
 *
 * @throws WrongResultsError with every difference.
 */
export async function verify(database: Surroundings, claims: readonly Claim[], unitsAtStart: number): Promise<void> {
  const problems: string[] = [];
  const compare = (what: string, found: number | undefined, expected: number): void => {
    if (found !== expected) problems.push(`${what}: ${found} in the database, ${expected} acknowledged`);
  };
  await withClient(database, async (client) => {
    for (const { owner: name, tally } of claims) {
      const [row] = (await client.query<Record<string, number>>(NUMBERS, [name])).rows;
      compare(`${name}: reservations`, row?.['reservations'], tally.reservations);
      compare(`${name}: units held`, row?.['held'], tally.units);
      compare(`${name}: units in the ledger`, row?.['ledgered'], tally.units);
      if ((row?.['backings'] ?? 0) < tally.lines) problems.push(`${name}: fewer backings than lines`);
    }
    const [book] = (await client.query<Record<string, number>>(BOOK)).rows;
    const units = claims.reduce((sum, { tally }) => sum + tally.units, 0);
    compare('units reserved', book?.['reserved'], units);
    compare('units available', book?.['available'], unitsAtStart - units);
    compare(
      'versions',
      book?.['versions'],
      claims.reduce((sum, { tally }) => sum + tally.lines, 0),
    );
    compare('facts that do not follow the one before', book?.['broken_chains'], 0);
    compare('SKUs whose last version no fact tells', book?.['untold'], 0);
  });
  if (problems.length > 0) throw new WrongResultsError(problems.join('\n'));
}
