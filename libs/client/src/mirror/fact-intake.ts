/**
 * Takes facts into a mirror as a consumer delivers them. Facts that come while others are being written wait, and are then
 * written together.
 */
import { type EffectPlace, type FactEvent, type StreamPosition } from '@onepool/platform-messaging';
import { isOutage, TransactionOutcomeUnknownError } from '@onepool/platform-postgres';
import type { MirrorRow } from './kinds.ts';
import { type MirrorStore, SupersededError } from './mirror-store.ts';

interface Waiting {
  readonly rows: readonly MirrorRow[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** The stream has lost facts since the position was read, and what was built from there on is not to be relied upon. */
export class NewEpochError extends Error {
  override readonly name = 'NewEpochError';
  readonly epoch: number;

  constructor(epoch: number) {
    super(`The stream is in epoch ${epoch} by now: it has lost facts, and the mirror is built anew.`);
    this.epoch = epoch;
  }
}

export interface IntakeOptions {
  readonly store: Pick<MirrorStore<never>, 'writeFacts' | 'look'>;
  readonly generation: number;
  readonly position: StreamPosition;
  /** The mirror cannot go on as it is: another builds it anew, or it has to be. */
  readonly onEnd: (reason: SupersededError | NewEpochError) => void;
}

const ROWS_AT_ONCE = 1_000;

export class FactIntake implements EffectPlace<undefined> {
  readonly #options: IntakeOptions;
  #waiting: Waiting[] = [];
  #isWriting = false;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  async once(event: FactEvent, handle: (_: undefined) => Promise<void>): Promise<'effect' | 'duplicate'> {
    const { position, onEnd } = this.#options;
    const { streamEpoch = 0, streamSequence = Infinity } = event;
    if (streamEpoch > position.epoch) {
      const ended = new NewEpochError(streamEpoch);
      onEnd(ended);
      throw ended;
    }
    // It was committed before the first page was read, which has it in.
    if (streamEpoch === position.epoch && streamSequence <= position.sequence) return 'duplicate';
    await handle(undefined);
    return 'effect';
  }

  look(): Promise<unknown> {
    return this.#options.store.look();
  }

  /** Resolves when they are written. */
  async take(rows: readonly MirrorRow[]): Promise<void> {
    if (rows.length === 0) return;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ rows, resolve, reject });
      void this.#writeAll();
    });
  }

  async #writeAll(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0, ROWS_AT_ONCE));
    this.#isWriting = false;
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const { store, generation, onEnd } = this.#options;
    try {
      await store.writeFacts(
        generation,
        batch.flatMap(({ rows }) => rows),
      );
      for (const { resolve } of batch) resolve();
    } catch (error) {
      if (error instanceof SupersededError) onEnd(error);
      if (batch.length > 1 && isOneOfThem(error)) for (const one of batch) await this.#write([one]);
      else for (const { reject } of batch) reject(error);
    }
  }
}

/** Whether a single row may be what the store refuses, and the others fare better without it. */
const isOneOfThem = (error: unknown): boolean =>
  !(error instanceof SupersededError || error instanceof TransactionOutcomeUnknownError || isOutage(error));
