/** Runs `work` for every item, at most `inFlightMax` at once, to the end even if some fail; answers what was thrown. */
export async function allInTurn<T>(
  items: readonly T[],
  inFlightMax: number,
  work: (item: T) => Promise<unknown>,
): Promise<readonly unknown[]> {
  const waiting = items.values();
  const errors: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const item of waiting) await work(item).catch((error: unknown) => errors.push(error));
  };
  await Promise.all(Array.from({ length: Math.min(inFlightMax, items.length) }, worker));
  return errors;
}
