import type { PlantedBug } from '@onepool/testing-failpoints';
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

/** A bug of what no app of the system uses, and the specs that look for it on servers of their own. */
export interface SimulatedBug {
  readonly bug: PlantedBug;
  readonly simulation: string;
}

/** With {@link SIMULATED_BUGS} one for each planted bug; a spec compares. */
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

const MIRRORS = 'libs/client/src/mirror/mirror-simulation.int-spec.ts';

export const SIMULATED_BUGS: readonly SimulatedBug[] = [
  { bug: 'client.mirror_durable_late', simulation: MIRRORS },
  { bug: 'client.mirror_cursor_first', simulation: MIRRORS },
];

export type { BugTrial } from './bug-trial.ts';
