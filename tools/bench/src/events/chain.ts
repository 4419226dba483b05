/** Which versions of each SKU the facts told, and which they did not. */
import type { SkuChanged } from '@onepool/contracts';

type Step = Pick<SkuChanged, 'sku' | 'fromVersion' | 'toVersion'>;

/**
 * Versions that no fact covers, over all SKUs: holes in the chain of steps, and what is missing up to the version that
 * the SKU has by now. Repeated facts do no harm.
 */
export function missingVersions(steps: readonly Step[], versions: ReadonlyMap<string, number>): number {
  const bySku = new Map<string, Step[]>();
  for (const step of steps) {
    const known = bySku.get(step.sku) ?? [];
    known.push(step);
    bySku.set(step.sku, known);
  }
  let missing = 0;
  for (const [sku, version] of versions) {
    let told = 0;
    const ordered = (bySku.get(sku) ?? []).sort((a, b) => a.fromVersion - b.fromVersion);
    for (const { fromVersion, toVersion } of ordered) {
      missing += Math.max(0, fromVersion - told);
      told = Math.max(told, toVersion);
    }
    missing += Math.max(0, version - told);
  }
  return missing;
}

export interface Answered {
  readonly sku: string;
  readonly version: number;
  /** Milliseconds of `performance.now()`. */
  readonly at: number;
}

/**
 * Milliseconds from each answer to the fact that covers its version; 0 when the fact was here first, null when there is
 * none.
 */
export function delaysMs(
  answers: readonly Answered[],
  facts: readonly (Step & { readonly at: number })[],
): readonly (number | null)[] {
  const arrivals = new Map<string, number>();
  for (const { sku, fromVersion, toVersion, at } of facts) {
    for (let version = fromVersion + 1; version <= toVersion; version += 1) {
      const key = `${sku}/${version}`;
      arrivals.set(key, Math.min(at, arrivals.get(key) ?? Infinity));
    }
  }
  return answers.map(({ sku, version, at }) => {
    const arrival = arrivals.get(`${sku}/${version}`);
    return arrival === undefined ? null : Math.max(0, arrival - at);
  });
}
