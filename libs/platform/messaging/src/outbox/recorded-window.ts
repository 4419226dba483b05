const DAY_MS = 86_400_000;
/** Looks that lie further apart may have missed that the clock went astray in between. */
const LOOK_GAP_MAX_MS = 60_000;

/** What the database's clock showed since the sequence had given out `aboveId`. */
interface Span {
  readonly aboveId: number;
  readonly earliest: number;
  readonly latest: number;
}

/**
 * Between which days the rows lie that a follower of the outbox has not read yet, so that it opens the partitions of those
 * days only.
 *
 * Ids above the last one of a look were given out after that look, so their rows were recorded between the earliest and the
 * latest time that the database's clock has shown since, give or take what it strayed unseen between two looks. A day is
 * allowed for that, and looks that are more than a minute apart prove nothing. So a clock that is set back or forward, however
 * far, is followed by the next look, which comes before rows are read; and until a follower has read everything up to a look
 * of its own, after a start or when it goes back, it reads every day.
 */
export class RecordedWindow {
  #read: Span | undefined;
  /** Begins later, and replaces it once everything up to its id is read. */
  #next: Span | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** A look at the sequence and the database's clock, in milliseconds, before rows are read. */
  look(lastId: number, clock: number, monotonic = performance.now()): void {
    if (monotonic - this.#lookedAt > LOOK_GAP_MAX_MS) this.forget();
    this.#lookedAt = monotonic;
    this.#read = this.#read && widened(this.#read, clock);
    this.#next = widened(this.#next ?? { aboveId: lastId, earliest: clock, latest: clock }, clock);
  }

  /** Every row up to `id` is read, or never will be. */
  reached(id: number): void {
    if (this.#next === undefined || id < this.#next.aboveId) return;
    this.#read = this.#next;
    this.#next = undefined;
  }

  /** Something is to be read again from further back. */
  forget(): void {
    this.#read = undefined;
    this.#next = undefined;
  }

  /** SQL on the column `recorded_at`. It has literals, so that plans are made for these days, and changes once a day. */
  get condition(): string {
    if (this.#read === undefined) return 'true';
    const day = (time: number): string => `${new Date(time).toISOString().slice(0, 10)} 00:00:00+00`;
    const { earliest, latest } = this.#read;
    return `recorded_at >= '${day(earliest - DAY_MS)}' AND recorded_at < '${day(latest + 2 * DAY_MS)}'`;
  }
}

const widened = (span: Span, clock: number): Span => ({
  ...span,
  earliest: Math.min(span.earliest, clock),
  latest: Math.max(span.latest, clock),
});
