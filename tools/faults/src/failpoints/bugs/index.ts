import { answersUnwritten } from './answers-unwritten.ts';
import type { BugTrial } from './bug-trial.ts';
import { consumerAcksFirst } from './consumer-acks-first.ts';
import { expiryByTransactionStart } from './expiry-by-transaction-start.ts';
import { feedCursorApart } from './feed-cursor-apart.ts';
import { memoryIgnoresMinVersion } from './memory-ignores-min-version.ts';
import { positionAfterRows } from './position-after-rows.ts';
import { relayPassesUnacknowledged } from './relay-passes-unacknowledged.ts';
import { resetCountsItsInstantTwice } from './reset-counts-its-instant-twice.ts';
import { rulesBeforeLocks } from './rules-before-locks.ts';

/** One for each planted bug; a spec compares. */
export const BUG_TRIALS: readonly BugTrial[] = [
  answersUnwritten,
  rulesBeforeLocks,
  expiryByTransactionStart,
  memoryIgnoresMinVersion,
  resetCountsItsInstantTwice,
  feedCursorApart,
  positionAfterRows,
  relayPassesUnacknowledged,
  consumerAcksFirst,
];

export type { BugTrial } from './bug-trial.ts';
