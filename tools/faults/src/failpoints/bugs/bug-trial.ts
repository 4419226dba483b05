import type { PlantedBug } from '@onepool/testing-failpoints';
import type { Stage } from '../stage.ts';

/** How a planted bug is provoked and seen from outside. On a sound system the same trial finds nothing. */
export interface BugTrial {
  readonly bug: PlantedBug;
  /** Of availability. */
  readonly replicas: 1 | 2;
  /** Whose the bug is; the app's unless told. */
  readonly of?: 'app' | 'consumer';
  /** What else happens at failpoints, with the bug and without. */
  readonly besides?: string;
  /** True where a consumer of the facts takes part. */
  readonly withConsumer?: true;
  /** @returns what is wrong, a sentence each. */
  readonly look: (stage: Stage) => Promise<readonly string[]>;
}

/** The sentence, if something was counted. */
export const ifAny = (count: number, what: string): readonly string[] => (count > 0 ? [`${count} ${what}`] : []);
