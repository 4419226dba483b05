import type { Figures } from '../reporting/figures.ts';
import type { Key } from '../reporting/keys.ts';
import type { Progress } from '../reporting/progress.ts';
import type { Servers } from '../setting/servers.ts';

/** What every benchmark gets. */
export interface Bench {
  readonly servers: Servers;
  readonly figures: Figures;
  readonly progress: Progress;
  readonly rounds: number;
  readonly quick: boolean;
  /** Length of a turn. */
  readonly seconds: number;
  /** `ONEPOOL_COMMIT_QUEUES` of the engine, its default when undefined. */
  readonly queues: number | undefined;
}

export interface Benchmark {
  /** About how long these keys take, in seconds. */
  estimate(keys: readonly Key[], bench: Pick<Bench, 'rounds' | 'quick' | 'seconds'>): number;
  run(keys: readonly Key[], bench: Bench): Promise<void>;
}
