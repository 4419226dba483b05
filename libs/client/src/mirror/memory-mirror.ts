import type { AppContract } from '@onepool/contracts';
import type { StreamPosition } from '@onepool/platform-messaging';
import type { KindsOf, MirrorChange, MirrorRow } from './kinds.ts';
import {
  MirrorNotReadyError,
  type MirrorState,
  type MirrorStore,
  NOTHING_YET,
  type Progress,
  SupersededError,
} from './mirror-store.ts';

export interface MemoryMirrorOptions<Kinds> {
  /** Told of what became otherwise in what is read. It must not throw. */
  readonly onChanged?: (changes: readonly MirrorChange<Kinds>[]) => void;
}

type Rows = Map<string, Map<string, MirrorRow>>;

/**
 * A mirror in this process, for what fits and is read often. It is built anew at each start.
 *
 * @example
 * const catalogue = new MemoryMirror(AVAILABILITY);
 * catalogue.get('skus', 'mug')?.title
 */
export class MemoryMirror<C extends AppContract> implements MirrorStore<KindsOf<C>> {
  readonly #onChanged: (changes: readonly MirrorChange<KindsOf<C>>[]) => void;
  readonly #generations = new Map<number, Rows>();
  #state: MirrorState = NOTHING_YET;
  #isTaken = false;

  constructor(_contract: C, { onChanged }: MemoryMirrorOptions<KindsOf<C>> = {}) {
    this.#onChanged = onChanged ?? (() => undefined);
  }

  get<K extends keyof KindsOf<C> & string>(kind: K, key: string): KindsOf<C>[K] | undefined {
    return (this.#read.get(kind)?.get(key)?.value ?? undefined) as KindsOf<C>[K] | undefined;
  }

  /** All of a kind, in no order. @throws MirrorNotReadyError */
  *entries<K extends keyof KindsOf<C> & string>(kind: K): Generator<readonly [key: string, value: KindsOf<C>[K]]> {
    for (const { key, value } of this.#read.get(kind)?.values() ?? []) {
      if (value !== null) yield [key, value as KindsOf<C>[K]];
    }
  }

  state(): Promise<MirrorState> {
    return Promise.resolve(this.#state);
  }

  async begin(after: number, kinds: readonly string[]): Promise<void> {
    this.#demand(after);
    if (after !== this.#state.readable) this.#generations.delete(after);
    this.#generations.set(after + 1, new Map());
    this.#state = { ...NOTHING_YET, generation: after + 1, readable: this.#state.readable, kinds };
  }

  async writePage(generation: number, rows: readonly MirrorRow[], progress: Progress): Promise<void> {
    this.#demand(generation);
    put(this.#rowsOf(generation), rows);
    this.#state = { ...this.#state, ...progress };
  }

  async writeFacts(generation: number, rows: readonly MirrorRow[]): Promise<void> {
    this.#demand(generation);
    const { readable } = this.#state;
    if (readable !== generation) put(this.#rowsOf(generation), rows);
    if (readable !== null) this.#tell(put(this.#rowsOf(readable), rows));
  }

  async reached(generation: number, position: StreamPosition): Promise<void> {
    this.#demand(generation);
    this.#state = { ...this.#state, position };
  }

  async complete(generation: number, position: StreamPosition): Promise<void> {
    this.#demand(generation);
    const { readable } = this.#state;
    const changes = differences(readable === null ? new Map() : this.#rowsOf(readable), this.#rowsOf(generation));
    if (readable !== null) this.#generations.delete(readable);
    this.#state = { ...this.#state, readable: generation, position, page: null };
    this.#tell(changes);
  }

  async alone<T>(work: () => Promise<T>): Promise<T | null> {
    if (this.#isTaken) return null;
    this.#isTaken = true;
    return work().finally(() => (this.#isTaken = false));
  }

  look(): Promise<void> {
    return Promise.resolve();
  }

  get #read(): Rows {
    if (this.#state.readable === null) throw new MirrorNotReadyError();
    return this.#rowsOf(this.#state.readable);
  }

  #demand(generation: number): void {
    if (generation !== this.#state.generation) throw new SupersededError();
  }

  #rowsOf(generation: number): Rows {
    const rows = this.#generations.get(generation) ?? new Map<string, Map<string, MirrorRow>>();
    this.#generations.set(generation, rows);
    return rows;
  }

  #tell(changes: readonly MirrorRow[]): void {
    if (changes.length > 0) this.#onChanged(changes as unknown as readonly MirrorChange<KindsOf<C>>[]);
  }
}

/** @returns what was newer than what was there. */
function put(rows: Rows, told: readonly MirrorRow[]): readonly MirrorRow[] {
  return told.filter((row) => {
    const ofKind = rows.get(row.kind) ?? new Map<string, MirrorRow>();
    rows.set(row.kind, ofKind);
    const known = ofKind.get(row.key);
    if (known !== undefined && known.version >= row.version) return false;
    ofKind.set(row.key, row);
    return true;
  });
}

function differences(before: Rows, after: Rows): readonly MirrorRow[] {
  const all = (rows: Rows): MirrorRow[] => [...rows.values()].flatMap((ofKind) => [...ofKind.values()]);
  const isOther = ({ kind, key, version, value }: MirrorRow): boolean => {
    const known = before.get(kind)?.get(key);
    return (known?.value ?? null) === null ? value !== null : known?.version !== version;
  };
  const isGone = ({ kind, key, value }: MirrorRow): boolean => value !== null && !after.get(kind)?.has(key);
  const gone = all(before).filter(isGone);
  return [...all(after).filter(isOther), ...gone.map((row) => ({ ...row, value: null }))];
}
