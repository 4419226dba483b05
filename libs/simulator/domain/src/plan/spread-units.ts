import type { Random } from './random.ts';

/**
 * Divides units over places unevenly, as real stock lies: a few places hold most. Integers ≥ 0 whose sum is exactly
 * `units`. Weights are squares of uniform fractions; what rounding leaves over goes to the largest remainders.
 */
export const spreadUnits = (units: number, places: number, random: Random): number[] => {
  const weights = Array.from({ length: places }, () => random.fraction() ** 2 + 1e-6);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => (units * weight) / total);
  const shares = exact.map(Math.floor);
  let left = units - shares.reduce((sum, share) => sum + share, 0);
  const byRemainder = exact
    .map((value, place) => ({ place, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.place - b.place);
  for (let index = 0; left > 0; index = (index + 1) % places, left -= 1) {
    const place = byRemainder[index]?.place ?? 0;
    shares[place] = (shares[place] ?? 0) + 1;
  }
  return shares;
};
