/** A row to publish. */
export interface Keyed {
  readonly id: number;
  readonly key: string;
}

/** One row that cannot be published must not hold up other keys; after so many, the fault is not the rows'. */
const MAX_FAILURES = 3;

/**
 * Publishes rows with at most `window` of them outstanding, starting them in the order given, except that a row waits
 * until the one before it *of its own key* was acknowledged, and is left out if that one failed.
 *
 * A connection that breaks may lose the messages at the head of what was sent and deliver those behind them. If two of
 * one key were outstanding, the later could overtake the earlier; this way it cannot. Other keys don't wait, until
 * several rows have failed: then nothing more is started.
 *
 * @returns the first error, if any; `publish` reports successes by itself. Resolves once nothing is outstanding.
 */
export async function publishInKeyOrder<Row extends Keyed>(
  rows: readonly Row[],
  window: number,
  publish: (row: Row) => Promise<void>,
): Promise<{ readonly error: unknown } | undefined> {
  const tails = new Map<string, Promise<boolean>>();
  let outstanding = 0;
  let goOn: (() => void) | null = null;
  let failure: { readonly error: unknown } | undefined;
  let failures = 0;
  const attempt = async (row: Row, previous: Promise<boolean> | undefined): Promise<boolean> => {
    if (previous !== undefined && !(await previous)) return false;
    try {
      await publish(row);
      return true;
    } catch (error) {
      failure ??= { error };
      failures += 1;
      return false;
    }
  };
  const counted = async (task: Promise<boolean>): Promise<boolean> => {
    const published = await task;
    outstanding -= 1;
    goOn?.();
    return published;
  };
  for (const row of rows) {
    if (failures >= MAX_FAILURES) break;
    outstanding += 1;
    tails.set(row.key, counted(attempt(row, tails.get(row.key))));
    if (outstanding >= window) await new Promise<void>((resolve) => (goOn = resolve));
  }
  // The last one of a key has waited for those before it.
  await Promise.all(tails.values());
  return failure;
}
