/**
 * The domain's `supply` and `sell` (libs/stock/domain, arithmetic.ts) in SQL, for a feed's many rows at once. A spec
 * proves that both give the same rows and the same transfers: change neither without the other.
 */
import { ACCOUNTS, type Account } from '@onepool/stock-domain';

const code = (account: Account): number => ACCOUNTS.indexOf(account);

/**
 * Selects from `source`, which has the columns of `stock` and a `difference` (bigint, not 0), the balances that each row
 * comes to (`new_…`) and the units of every transfer on the way. Other columns pass through.
 */
export const movedSql = (source: string): string => `
  SELECT d.*,
         d.available + freed - from_available AS new_available,
         d.safety_stock - from_safety AS new_safety_stock,
         d.quality_control - from_quality_control AS new_quality_control,
         d.damaged - from_damaged AS new_damaged,
         d.shortfall - healed + from_promised AS new_shortfall,
         d.overdrawn - netted + from_nothing AS new_overdrawn,
         netted, healed, freed, from_available, from_safety, from_promised, from_quality_control, from_damaged, from_nothing
    FROM ${source} d
   CROSS JOIN LATERAL (SELECT greatest(d.difference, 0) AS come, greatest(-d.difference, 0) AS go) told
   CROSS JOIN LATERAL (SELECT least(come, d.overdrawn) AS netted) s1
   CROSS JOIN LATERAL (SELECT least(come - netted, d.shortfall) AS healed) s2
   CROSS JOIN LATERAL (SELECT come - netted - healed AS freed) s3
   CROSS JOIN LATERAL (SELECT least(go, d.available) AS from_available) t1
   CROSS JOIN LATERAL (SELECT least(go - from_available, d.safety_stock) AS from_safety) t2
   CROSS JOIN LATERAL (SELECT least(go - from_available - from_safety, d.committed + d.reserved - d.shortfall) AS from_promised) t3
   CROSS JOIN LATERAL (SELECT least(go - from_available - from_safety - from_promised, d.quality_control) AS from_quality_control) t4
   CROSS JOIN LATERAL (SELECT least(go - from_available - from_safety - from_promised - from_quality_control, d.damaged) AS from_damaged) t5
   CROSS JOIN LATERAL (
     SELECT go - from_available - from_safety - from_promised - from_quality_control - from_damaged AS from_nothing) t6`;

const TRANSFERS: readonly (readonly [Account, Account, string])[] = [
  ['external', 'overdrawn', 'netted'],
  ['external', 'shortfall', 'healed'],
  ['external', 'available', 'freed'],
  ['available', 'external', 'from_available'],
  ['safety_stock', 'external', 'from_safety'],
  ['shortfall', 'external', 'from_promised'],
  ['quality_control', 'external', 'from_quality_control'],
  ['damaged', 'external', 'from_damaged'],
  ['overdrawn', 'external', 'from_nothing'],
];

/** Selects the transfers of `moved` rows, in the domain's order, as `step, from_state, to_state, quantity` beside the row. */
export const transfersSql = (moved: string): string => `
  SELECT m.*, t.step, t.from_state, t.to_state, t.quantity AS units
    FROM ${moved} m
   CROSS JOIN LATERAL (VALUES
     ${TRANSFERS.map(([from, to, units], step) => `(${step}, ${code(from)}, ${code(to)}, m.${units})`).join(', ')}
   ) AS t (step, from_state, to_state, quantity)
   WHERE t.quantity > 0`;
