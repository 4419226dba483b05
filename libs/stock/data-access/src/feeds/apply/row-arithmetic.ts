/**
 * The domain's `supply`, `sell` and `defer` (libs/stock/domain, arithmetic.ts) in SQL, for a feed's many rows at once. A spec
 * proves that both give the same rows and the same transfers: change neither without the other.
 */
import { ACCOUNTS, type Account, STATE_ACCOUNTS, type StateAccount, isContra } from '@onepool/stock-domain';

const code = (account: Account): number => ACCOUNTS.indexOf(account);

/**
 * Selects from `source`, which has the columns of `stock`, a `difference` (bigint, not 0) and `is_waited_for`, the balances that each row
 * comes to (`new_…`) and the units of every transfer on the way. Other columns pass through.
 */
export const movedSql = (source: string): string => `
  SELECT d.*,
         ${MOVED_STATES.map((state) => `d.${state}${movesOf(state)} AS new_${state}`).join(', ')},
         ${TRANSFERS.map(([, , units]) => units).join(', ')}
    FROM ${source} d
   CROSS JOIN LATERAL (
     SELECT least(${come()}, d.overdrawn) AS netted,
            least(${come('d.overdrawn')}, d.shortfall) AS healed,
            ${come('d.overdrawn', 'd.shortfall')} AS freed,
            CASE WHEN d.is_waited_for THEN ${come('d.overdrawn', 'd.shortfall')} ELSE 0 END AS deferred,
            least(${go()}, d.available) AS from_available,
            least(${go('d.available')}, d.unapplied) AS from_unapplied,
            least(${go('d.available', 'd.unapplied')}, d.safety_stock) AS from_safety,
            least(${go(...FREE)}, ${COVERED}) AS from_promised,
            least(${go(...FREE, COVERED)}, d.quality_control) AS from_quality_control,
            least(${go(...FREE, COVERED, 'd.quality_control')}, d.damaged) AS from_damaged,
            ${go(...FREE, COVERED, 'd.quality_control', 'd.damaged')} AS from_nothing) units`;

/** Units on hand that nobody was promised. */
const FREE = ['d.available', 'd.unapplied', 'd.safety_stock'];

/** Promised units that the book covers. */
const COVERED = '(d.committed + d.reserved - d.shortfall)';
/** What is left of the units that come, or go, when the states before have had all that they can. */
const come = (...before: readonly string[]): string => `greatest(${['d.difference', ...before].join(' - ')}, 0)`;
const go = (...before: readonly string[]): string => `greatest(${['-d.difference', ...before].join(' - ')}, 0)`;

const TRANSFERS: readonly (readonly [Account, Account, string])[] = [
  ['external', 'overdrawn', 'netted'],
  ['external', 'shortfall', 'healed'],
  ['external', 'available', 'freed'],
  ['available', 'unapplied', 'deferred'],
  ['available', 'external', 'from_available'],
  ['unapplied', 'external', 'from_unapplied'],
  ['safety_stock', 'external', 'from_safety'],
  ['shortfall', 'external', 'from_promised'],
  ['quality_control', 'external', 'from_quality_control'],
  ['damaged', 'external', 'from_damaged'],
  ['overdrawn', 'external', 'from_nothing'],
];

/** The states that transfers move units into or out of; the others stay as they are. */
export const MOVED_STATES = STATE_ACCOUNTS.filter((state) =>
  TRANSFERS.some(([from, to]) => from === state || to === state),
);

/** The column of {@link movedSql} with the units that a state comes to. */
export const movedColumn = (state: StateAccount): string => (MOVED_STATES.includes(state) ? `new_${state}` : state);

/** What transfers add to a state and take from it. */
function movesOf(state: StateAccount): string {
  const sign = (isAdded: boolean): string => (isAdded === isContra(state) ? ' - ' : ' + ');
  return TRANSFERS.map(([from, to, units]) => {
    if (to === state) return `${sign(true)}${units}`;
    return from === state ? `${sign(false)}${units}` : '';
  }).join('');
}

/** Selects the transfers of `moved` rows, in the domain's order, as `step, from_state, to_state, quantity` beside the row. */
export const transfersSql = (moved: string): string =>
  TRANSFERS.map(
    ([from, to, units], step) => `
  SELECT m.*, ${step} AS step, ${code(from)} AS from_state, ${code(to)} AS to_state, m.${units} AS units
    FROM ${moved} m WHERE m.${units} > 0`,
  ).join(' UNION ALL ');
