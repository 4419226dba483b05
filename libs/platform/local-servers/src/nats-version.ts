/** The version that is fetched where none is installed; the tests pass on it and on 2.9. */
export const PINNED_NATS_VERSION = '2.11.17';

/** The oldest version that is taken from PATH without looking further. */
export const PREFERRED_NATS_VERSION = '2.10.0';

/** Reads `nats-server: v2.11.17` as `2.11.17`; undefined when the text is no such line. */
export function parseNatsVersion(text: string): string | undefined {
  return /nats-server: v(\d+\.\d+\.\d+)/.exec(text)?.[1];
}

/** True when `version` is `minimum` or newer. */
export function isAtLeast(version: string, minimum: string): boolean {
  return compareVersions(version, minimum) >= 0;
}

/** Orders dotted numbers: negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (const [index, number] of left.entries()) {
    const difference = number - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
