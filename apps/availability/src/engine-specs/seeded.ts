/** Randomness for specs: every run explores anew, and a failure names the seed that repeats its choices. */
import { randomInt } from 'node:crypto';

export interface Random {
  /** An integer in [0, limit). */
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
}

/** Mulberry32: small, and good enough to shuffle with. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  };
  const pick = <T>(from: readonly T[]): T => {
    const picked = from[below(from.length)];
    if (picked === undefined) throw new Error('there is nothing to pick from');
    return picked;
  };
  return { below, pick };
}

/** Runs `explore`; `ONEPOOL_SEED` repeats the seed that a failure named. */
export async function seeded(explore: (random: Random) => Promise<void>): Promise<void> {
  const seed = Number(process.env['ONEPOOL_SEED'] ?? randomInt(2 ** 31));
  try {
    await explore(randomOf(seed));
  } catch (error) {
    if (error instanceof Error) error.message = `ONEPOOL_SEED=${seed} repeats this.\n${error.message}`;
    throw error;
  }
}
