/** A message that the stream acknowledged: its sequence, and whose event it holds. */
export interface StreamPosition {
  readonly sequence: number;
  readonly eventId: string;
}

/** All rows up to `low` were acknowledged at or before `position`. */
export interface Checkpoint {
  readonly low: number;
  readonly position: StreamPosition;
  /** Milliseconds since the epoch, only to space checkpoints. */
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
  #acknowledged: StreamPosition | undefined;
  #kept: Checkpoint[];

  constructor(low: number, acknowledged: StreamPosition | undefined, checkpoints: readonly Checkpoint[]) {
    this.#lowId = low;
    this.#acknowledged = acknowledged;
    this.#kept = [...checkpoints];
  }

  get low(): number {
    return this.#lowId;
  }

  get position(): StreamPosition | undefined {
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

  isPublished(id: number): boolean {
    return id <= this.#lowId || this.#published.has(id);
  }

  recordPublished(id: number, position: StreamPosition): void {
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

  /** Keeps a place to go back to, unless the newest one is recent. Old ones are dropped beyond a bound. */
  checkpoint(now: number): void {
    const newest = this.#kept.at(-1);
    if (this.#acknowledged === undefined || this.#lowId === 0 || newest?.low === this.#lowId) return;
    if (newest !== undefined && now - newest.at < CHECKPOINT_SPACING_MS) return;
    this.#kept.push({ low: this.#lowId, position: this.#acknowledged, at: now });
    if (this.#kept.length > MAX_CHECKPOINTS) this.#kept.shift();
  }

  /** Forgets everything after a checkpoint, or everything at all, so that it is published again. */
  rewindTo(checkpoint: Checkpoint | undefined): void {
    this.#published.clear();
    this.#lowId = checkpoint?.low ?? 0;
    this.#acknowledged = checkpoint?.position;
    this.#kept = checkpoint === undefined ? [] : this.#kept.filter((kept) => kept.low <= checkpoint.low);
  }
}
