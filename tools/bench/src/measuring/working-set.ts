/** What a load asks for of a table of any size, so that only the size differs. */
export const WORKING_SET = 10_000;

/** Keys of the working set lie evenly over the table, as a shop's fast sellers do, not in its first pages. */
export const inWorkingSet = (skus: number, random: (below: number) => number): number =>
  1 + random(WORKING_SET) * (skus / WORKING_SET);
