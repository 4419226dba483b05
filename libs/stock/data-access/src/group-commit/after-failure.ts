/** What a commit queue does about a batch that the database failed. `docs/write-path.md` tells it together with all other retries. */
import { TransactionOutcomeUnknownError, classifyPgError } from '@onepool/platform-postgres';

/**
 * - `again`: at once. A key that somebody else took meanwhile is now found, and answered from.
 * - `wait`: after a pause. The fault is not the commands'.
 * - `unknown`: after a pause, with the same keys, which tell whether the first attempt took effect.
 * - `split`: each half by itself, until the command that is at fault stands alone and gets the error.
 */
export type AfterFailure = 'again' | 'wait' | 'unknown' | 'split';

const KEY_RACES_MAX = 8;

/** `attempt` counts from 0, `commands` are those of the batch. */
export function afterFailure(error: Error, attempt: number, commands: number): AfterFailure {
  if (error instanceof TransactionOutcomeUnknownError) return 'unknown';
  switch (classifyPgError(error)) {
    case 'unique_violation':
      return attempt < KEY_RACES_MAX ? 'again' : 'split';
    case 'deadlock':
    case 'serialization':
    case 'connection':
    case 'resources':
      return 'wait';
    // One command that is too heavy, or whose gate is held elsewhere, must not take its neighbours along.
    case 'statement_timeout':
      return commands > 1 ? 'split' : 'wait';
    case 'lock_timeout':
      return commands > 1 && attempt > 0 ? 'split' : 'wait';
    case 'check_violation':
    case 'other':
      return 'split';
  }
}
