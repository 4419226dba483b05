/** What a commit queue gives out: commands to be committed together, and the means to let the next batch be decided. */
import type { SkuKey } from '@onepool/stock-domain';
import type { Command, Outcome } from '../requests/command.ts';

export class Batch {
  readonly commands: readonly Command[];
  readonly #letNextBegin: () => void;

  constructor(commands: readonly Command[], letNextBegin: () => void = () => undefined) {
    this.commands = commands;
    this.#letNextBegin = letNextBegin;
  }

  /** The batch is on its way to the database. From now on the next one may be decided, on what this one will have written. */
  sent(): void {
    this.#letNextBegin();
  }
}

/** What became of a batch that the database did not fail. */
export type Committed =
  | {
      readonly status: 'committed';
      /** In the order of the commands. */
      readonly outcomes: readonly Outcome[];
    }
  /** Nothing was written: somebody else holds the gates of these SKUs. */
  | { readonly status: 'gates_held'; readonly skus: ReadonlySet<SkuKey> };

/** Commits a batch. It throws only if none of the commands took effect, or if that is unknown. */
export type CommitBatch = (batch: Batch) => Promise<Committed>;
