/** Divides an integer by weights, so that the shares sum to it: by largest remainder. */
import assert from 'node:assert/strict';

/**
 * Shares of `amount`, in the order of the weights: each is its exact share rounded towards zero, or one more where the remainders are
 * largest, the earliest of equals first. `share(1_000, [1, 1, 1])` is `[334, 333, 333]`; a debt of −1,000 is shared as 1,000 is.
 *
 * `weights` are integers ≥ 0, and not all 0 unless the amount is.
 */
export function share(amount: number, weights: readonly number[]): readonly number[] {
  assert(Number.isSafeInteger(amount), `${amount} is not an amount`);
  assert(
    weights.every((weight) => Number.isSafeInteger(weight) && weight >= 0),
    `${weights} are not weights`,
  );
  if (amount === 0) return weights.map(() => 0);
  // A million units of a thousand each would be beyond what a number holds.
  const [whole, all] = [BigInt(Math.abs(amount)), weights.reduce((sum, weight) => sum + BigInt(weight), 0n)];
  assert(all > 0n, 'nobody has a share');
  const products = weights.map((weight) => whole * BigInt(weight));
  const shares = products.map((product) => product / all);
  const left = Number(whole - shares.reduce((sum, one) => sum + one, 0n));
  const remainders = products.map((product, place) => ({ place, remainder: product % all }));
  remainders.sort((a, b) => (a.remainder === b.remainder ? a.place - b.place : a.remainder > b.remainder ? -1 : 1));
  const more = new Set(remainders.slice(0, left).map(({ place }) => place));
  const sign = Math.sign(amount);
  return shares.map((one, place) => sign * (Number(one) + (more.has(place) ? 1 : 0)) || 0);
}
