/**
 * Finds out up to which outbox id nothing can appear any more.
 *
 * Ids are taken from a sequence long before their rows become visible, and transactions end in any order, so the highest
 * id seen says nothing about lower ones. The proof takes three steps, each a statement of its own:
 * 1. read M, the last value of the sequence;
 * 2. take X, a fresh transaction id. Whoever owns an id ≤ M held a transaction id before it took the outbox id (the
 *    contract of `outboxInsert`), hence before step 1, hence one that is smaller than X;
 * 3. once a snapshot's xmin is at least X, all transactions below X have ended, and rows with an id ≤ M are visible in
 *    that very snapshot or will never exist.
 *
 * X is a transaction id of our own rather than the snapshot's xmax: xmax is one more than the highest *ended*
 * transaction, so a running transaction may be at or above it, and would be overlooked.
 */
export class Watermark {
  #settledId = 0;
  #mark: { readonly id: number; readonly transaction: bigint } | undefined;

  /** Every row with an id up to this one is visible already, or never will be. */
  get settled(): number {
    return this.#settledId;
  }

  /** Whether a new mark is worth a transaction id: none is under way, and ids were given out since the last one. */
  needsMark(lastId: number): boolean {
    return this.#mark === undefined && lastId > this.#settledId;
  }

  /** Starts a proof. `lastId` must have been read before `transaction` was assigned. */
  place(lastId: number, transaction: bigint): void {
    this.#mark = { id: lastId, transaction };
  }

  /** Takes in the xmin of a snapshot; the rows read in the same snapshot are complete up to {@link settled}. */
  observe(snapshotXmin: bigint): void {
    if (this.#mark === undefined || snapshotXmin < this.#mark.transaction) return;
    this.#settledId = Math.max(this.#settledId, this.#mark.id);
    this.#mark = undefined;
  }
}
