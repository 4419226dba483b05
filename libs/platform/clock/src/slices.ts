/**
 * Long work in slices, for whatever works on something whose size its caller chose: between two slices everybody else
 * that this process serves gets a turn. A slice is bounded by steps and not by time, so that specs can count them.
 */
import { setImmediate as turnOfOthers } from 'node:timers/promises';

/**
 * Counts the steps of one piece of work.
 *
 * @example
 * const slices = new Slices(500);
 * for (const row of rows) {
 *   check(row);
 *   if (slices.isFull()) await slices.next();
 * }
 */
export class Slices {
  readonly #stepsMax: number;
  #steps = 0;

  /** Choose as many steps as take a few milliseconds. */
  constructor(stepsMax: number) {
    this.#stepsMax = stepsMax;
  }

  /** Counts a step, or several; true once the others are due their turn. */
  isFull(steps = 1): boolean {
    this.#steps += steps;
    return this.#steps >= this.#stepsMax;
  }

  /** Gives the others their turn and begins a slice. */
  async next(): Promise<void> {
    this.#steps = 0;
    await turnOfOthers();
  }
}

/** A sorted copy; equal items keep their order. The same as `items.toSorted(compare)`, in slices. */
export async function sortedInSlices<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
  slices: Slices,
  runLength = 1_000,
): Promise<readonly T[]> {
  let runs: (readonly T[])[] = [];
  for (let from = 0; from < items.length; from += runLength) {
    runs.push(items.slice(from, from + runLength).sort(compare));
    if (slices.isFull(runLength)) await slices.next();
  }
  while (runs.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let place = 0; place < runs.length; place += 2) {
      merged.push(await mergedInSlices(runs[place] ?? [], runs[place + 1] ?? [], compare, slices));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergedInSlices<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  slices: Slices,
): Promise<readonly T[]> {
  const merged: T[] = [];
  let [l, r] = [0, 0];
  while (l < left.length && r < right.length) {
    const [a, b] = [left[l] as T, right[r] as T];
    if (compare(a, b) <= 0) {
      merged.push(a);
      l += 1;
    } else {
      merged.push(b);
      r += 1;
    }
    if (slices.isFull()) await slices.next();
  }
  return merged.concat(left.slice(l), right.slice(r));
}
