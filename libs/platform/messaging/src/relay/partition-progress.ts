/** A message that the stream acknowledged: its sequence, whose event it holds, and when that was. */
export interface MessagePosition {
  readonly sequence: number;
  readonly eventId: string;
  /** Milliseconds since 1970; a position that was read from the database has none. */
  readonly at?: number;
}

/** What the relay knows of a message that the stream acknowledged. */
export interface KnownMessage {
  readonly position: MessagePosition;
  /** Milliseconds since 1970 by the relay's clock: it was stored no earlier, but for an hour's doubt. */
  readonly storedAfter: number;
}

/** All rows up to `low` were acknowledged at or before `position`. */
export interface Checkpoint {
  readonly low: number;
  readonly position: MessagePosition;
  /** Milliseconds since 1970: when it was taken. */
  readonly at: number;
}

const MAX_CHECKPOINTS = 32;
const CHECKPOINT_SPACING_MS = 10_000;

/**
 * What one relay knows about one partition: everything up to `low` is published and complete, and above it exactly the
 * ids in a set are published. Pure; the relay persists `low`, the position and the checkpoints, never the set.
 */
export class PartitionProgress {
  readonly #published = new Set<number>();
  #lowId: number;
  #acknowledged: MessagePosition | undefined;
  #kept: Checkpoint[];
  /** Up to here what the stream had lost is published again; and what was purged from it. */
  #refillTo = 0;
  #purgedTo = 0;

  constructor(low: number, acknowledged: MessagePosition | undefined, checkpoints: readonly Checkpoint[]) {
    this.#lowId = low;
    this.#acknowledged = acknowledged;
    this.#kept = [...checkpoints];
  }

  get low(): number {
    return this.#lowId;
  }

  get position(): MessagePosition | undefined {
    return this.#acknowledged;
  }

  get checkpoints(): readonly Checkpoint[] {
    return this.#kept;
  }

  /** Published ids above `low`, which the next read leaves out. */
  get publishedIds(): Iterable<number> {
    return this.#published;
  }

  get publishedCount(): number {
    return this.#published.size;
  }

  /** Whether something that the stream had acknowledged and lost is still to be published again. */
  get isRefilling(): boolean {
    return this.#lowId < this.#refillTo;
  }

  /** Whether the row was in the stream before that was purged, and may be gone although the server remembers its id. */
  wasPurged(id: number): boolean {
    return id <= this.#purgedTo;
  }

  /** The messages whose age is known, the oldest first. */
  knownMessages(): readonly KnownMessage[] {
    const known = this.#kept.flatMap(({ position }): KnownMessage[] =>
      position.at === undefined ? [] : [{ position, storedAfter: position.at }],
    );
    const last = this.#acknowledged;
    const newest = this.#kept.at(-1);
    // It came after the newest checkpoint was taken, if it is not the checkpoint's own.
    const storedAfter =
      last?.at ?? (newest && last && last.sequence > newest.position.sequence ? newest.at : undefined);
    return last === undefined || storedAfter === undefined ? known : [...known, { position: last, storedAfter }];
  }

  isPublished(id: number): boolean {
    return id <= this.#lowId || this.#published.has(id);
  }

  recordPublished(id: number, position: MessagePosition): void {
    this.#published.add(id);
    if (this.#acknowledged === undefined || position.sequence > this.#acknowledged.sequence)
      this.#acknowledged = position;
  }

  /**
   * Raises `low` to `limit`. The caller vouches that every row of the partition up to `limit` has been published and
   * that no other can appear.
   */
  advance(limit: number): void {
    if (limit <= this.#lowId) return;
    this.#lowId = limit;
    for (const id of this.#published) if (id <= limit) this.#published.delete(id);
  }

  /** Keeps a place to go back to, unless the newest one is recent. Beyond a bound they are thinned, the old ones most. */
  checkpoint(now: number): void {
    const newest = this.#kept.at(-1);
    if (this.#acknowledged === undefined || this.#lowId === 0 || newest?.low === this.#lowId) return;
    if (newest !== undefined && now - newest.at < CHECKPOINT_SPACING_MS) return;
    this.#kept.push({ low: this.#lowId, position: this.#acknowledged, at: now });
    if (this.#kept.length > MAX_CHECKPOINTS) this.#kept.splice(mostDispensable(this.#kept, now), 1);
  }

  /** Forgets everything, since nobody knows what was purged, so that it is published again. */
  rewindPurged(): void {
    this.rewindTo(undefined);
    this.#purgedTo = this.#refillTo;
  }

  /** Forgets everything after a checkpoint, or everything at all, so that it is published again. */
  rewindTo(checkpoint: Checkpoint | undefined): void {
    this.#refillTo = Math.max(this.#refillTo, this.#lowId, ...this.#published);
    this.#published.clear();
    this.#lowId = checkpoint?.low ?? 0;
    this.#acknowledged = checkpoint?.position;
    this.#kept = checkpoint === undefined ? [] : this.#kept.filter((kept) => kept.low <= checkpoint.low);
  }
}

/** The checkpoint that leaves the smallest gap for its age, so that a few tell of minutes as of days; never the first or last. */
function mostDispensable(kept: readonly Checkpoint[], now: number): number {
  const gapOf = (index: number): number => {
    const [before, here, after] = [kept[index - 1], kept[index], kept[index + 1]];
    return before && here && after ? (after.at - before.at) / Math.max(1, now - here.at) : Number.POSITIVE_INFINITY;
  };
  return kept.reduce((best, _, index) => (gapOf(index) < gapOf(best) ? index : best), 0);
}
