/** In which order the lines of one decision get their units. */
import type { NodeKey } from './keys.ts';

interface LineToDecide {
  /** Null: any. */
  readonly nodes: readonly NodeKey[] | null;
  readonly mayWait?: boolean;
}

/**
 * Lines that may wait come last: the others cannot. Of the rest, those that only few nodes may serve come before those that may still
 * go elsewhere.
 */
export const leastFreeFirst = (a: LineToDecide, b: LineToDecide): number =>
  waits(a) - waits(b) || freedom(a) - freedom(b);

const waits = ({ mayWait = false }: LineToDecide): number => Number(mayWait);
const freedom = ({ nodes }: LineToDecide): number => nodes?.length ?? Number.MAX_SAFE_INTEGER;
