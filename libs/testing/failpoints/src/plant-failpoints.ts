import { installFailpoints } from '@onepool/platform-failpoints';
import { parsePlan } from './plan.ts';
import { PlannedFailpoints } from './planned-failpoints.ts';

/**
 * Carries a plan out in the spec's own process, until `remove`.
 *
 * @example
 * const failpoints = plantFailpoints('stock.batch.before_commit=hold');
 * const answer = engine.verb(…);
 * await failpoints.reached('stock.batch.before_commit');
 * failpoints.remove();
 */
export function plantFailpoints(text: string): PlannedFailpoints & { readonly remove: () => void } {
  const failpoints = new PlannedFailpoints(parsePlan(text));
  installFailpoints(failpoints);
  const remove = (): void => {
    installFailpoints(null);
    failpoints.releaseAll();
  };
  return Object.assign(failpoints, { remove });
}
