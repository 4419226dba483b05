/** A small seeded generator: the same seed and stream name give the same numbers on every machine. */
export interface Random {
  /** In [0, 1). */
  fraction(): number;
  /** An integer in [0, limit). */
  below(limit: number): number;
}

/** FNV-1a over UTF-16 units, enough to tell streams apart. */
const hash = (text: string): number => {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
};

/**
 * One stream per question (`fate:536365`), so that a decision about one order does not shift those about the others:
 * the first 500 orders of a year meet the same fate whether 500 or all are replayed.
 */
export const randomOf = (seed: number, stream: string): Random => {
  let state = (hash(stream) ^ Math.imul(seed | 0, 0x9e3779b1)) >>> 0;
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000;
  };
  return { fraction, below: (limit) => Math.floor(fraction() * limit) };
};
