import { types } from 'node:util';
import { strayFailpoints } from '@onepool/platform-failpoints';
import { OperatorError } from './operator-error.ts';

/** What a program says when it fails: the sentence of an {@link OperatorError}, the stack of anything else. */
export function lastWords(error: unknown): string {
  if (error instanceof OperatorError) return error.message;
  return types.isNativeError(error) ? (error.stack ?? error.message) : String(error);
}

/**
 * Runs the body of a program. When it fails, its last words go to standard error and the process ends with code 1, whatever
 * the body left open. A program that was told of failpoints, and not by a runtime that starts it for tests, says so and does
 * nothing.
 *
 * @example await runProgram(async () => { const config = loadConfig(Settings); … });
 */
export async function runProgram(body: () => Promise<void>): Promise<void> {
  try {
    const stray = strayFailpoints();
    if (stray !== null) throw new OperatorError(stray);
    await body();
  } catch (error) {
    process.stderr.write(`${lastWords(error)}\n`, () => process.exit(1));
  }
}
