import { areFailpointsInstalled } from './failpoint.ts';

/** Holds what is to happen at which failpoint. Shipped code never looks at what it says. */
export const FAILPOINTS_VARIABLE = 'ONEPOOL_FAILPOINTS';
/** The argument by which the runtime marks a program that it starts for tests. */
export const FOR_TESTS = '--for-tests';

interface Program {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * What is wrong when a program was told of failpoints by anybody but a runtime that starts it for tests; null when nothing
 * is. Three things belong together then: the argument, the variable, and handlers that installed themselves.
 */
export function strayFailpoints({ argv, env }: Program = process): string | null {
  const isMarked = argv.includes(FOR_TESTS);
  const isTold = (env[FAILPOINTS_VARIABLE] ?? '') !== '';
  const isInstalled = areFailpointsInstalled();
  if (isMarked === isTold && isTold === isInstalled) return null;
  const has = (holds: boolean, what: string): string => `${what} is ${holds ? 'there' : 'missing'}`;
  const found = [
    has(isMarked, FOR_TESTS),
    has(isTold, FAILPOINTS_VARIABLE),
    has(isInstalled, 'the library that acts on it'),
  ].join(', ');
  return `Failpoints break a program on purpose, so it runs with them only when the runtime starts it for tests: ${found}.`;
}
