/**
 * Where a mirror is kept: rows by kind and key, and how far they have come.
 *
 * It is built in generations. A new one is written beside the one that is read, and takes its place when it is complete; what
 * it has not got is gone then. Rows are absolute and the newest version wins, so a row may be written any number of times, in
 * any order. Who writes names the generation that he works on, and is refused once another was begun.
 */
import type { StreamPosition } from '@onepool/platform-messaging';
import type { MirrorRow } from './kinds.ts';

/** The next page to be read. */
export interface NextPage {
  readonly kind: string;
  /** Null before the first page of the kind. */
  readonly cursor: string | null;
}

export interface MirrorState {
  /** The newest generation, complete or not; 0 before the first. */
  readonly generation: number;
  /** The complete one that is read; null before the first. */
  readonly readable: number | null;
  /** What the newest generation mirrors, sorted. */
  readonly kinds: readonly string[];
  /** Every fact at or below it is in the newest generation, if that is complete, else in pages to come; null before the first page. */
  readonly position: StreamPosition | null;
  /** When the durable was made that has kept the facts for it since; null before the first page. */
  readonly durable: string | null;
  /** Null when all pages are read. */
  readonly page: NextPage | null;
}

export const NOTHING_YET: MirrorState = {
  generation: 0,
  readable: null,
  kinds: [],
  position: null,
  durable: null,
  page: null,
};

/** How far a generation has come, as far as it has changed. */
export type Progress = Partial<Pick<MirrorState, 'position' | 'durable' | 'page'>>;

/** Another has begun a newer generation. */
export class SupersededError extends Error {
  override readonly name = 'SupersededError';

  constructor() {
    super('The mirror is being built anew by another.');
  }
}

/** Nothing can be read from a mirror that was never complete: what is missing so far would pass for gone. */
export class MirrorNotReadyError extends Error {
  override readonly name = 'MirrorNotReadyError';

  constructor() {
    super('The mirror is being built for the first time, and cannot be read yet.');
  }
}

export interface MirrorStore<Kinds> {
  /** @throws MirrorNotReadyError */
  get<K extends keyof Kinds & string>(kind: K, key: string): Kinds[K] | undefined | Promise<Kinds[K] | undefined>;

  state(): Promise<MirrorState>;
  /** Begins the generation after this one. @throws SupersededError */
  begin(after: number, kinds: readonly string[]): Promise<void>;
  /** Rows of a page, of the generation that is being built, and how far that is by now, both or neither. @throws SupersededError */
  writePage(generation: number, rows: readonly MirrorRow[], progress: Progress): Promise<void>;
  /** What facts say, of the newest generation and of the one that is read. @throws SupersededError */
  writeFacts(generation: number, rows: readonly MirrorRow[]): Promise<void>;
  /** Everything at or below the position is in a complete generation. @throws SupersededError */
  reached(generation: number, position: StreamPosition): Promise<void>;
  /** From now on this generation is read. @throws SupersededError */
  complete(generation: number, position: StreamPosition): Promise<void>;
  /** Does something that one of those who share the mirror does at a time; null when another is at it. */
  alone<T>(work: () => Promise<T>): Promise<T | null>;
  /** Fails while the store is away. */
  look(): Promise<unknown>;
}

/** One row for each thing, the newest. */
export function newestOf(rows: readonly MirrorRow[]): readonly MirrorRow[] {
  const newest = new Map<string, MirrorRow>();
  for (const row of rows) {
    const name = JSON.stringify([row.kind, row.key]);
    const known = newest.get(name);
    if (known === undefined || known.version < row.version) newest.set(name, row);
  }
  return [...newest.values()];
}
