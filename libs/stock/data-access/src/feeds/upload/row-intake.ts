/**
 * Takes the rows of one upload in. They stream through: what arrives is parsed while the piece before it is stored, and
 * neither the reader nor the database ever waits for more than one piece, so that memory stays the same for ten rows and
 * for twenty million. The caller's backpressure is the stream's.
 */
import { setTimeout as delay, setImmediate as turnOfOthers } from 'node:timers/promises';
import type { SellingRules } from '@onepool/stock-domain';
import type pg from 'pg';
import { CodeBook } from '../../catalogue/code-book.ts';
import type { FeedRecord } from '../feed-record.ts';
import { wholeLines } from './line-splitter.ts';
import type { MeteredBody } from './metered-body.ts';
import { RowBatch } from './row-batch.ts';
import type { RowReader } from './row-reader.ts';
import { stagePiece } from './staging.ts';
import { tooLarge } from './upload-refused.ts';

const ROWS_PER_PIECE = 10_000;
/** With those of the chunk of bytes that completes it. */
const ROWS_EXPECTED = 20_000;
const PAUSE_MS_MAX = 50;
/** A feed in SKU order never needs more; one in random order over more SKUs asks again. */
const CODES_REMEMBERED_MAX = 200_000;

export interface IntakeOptions {
  readonly pool: pg.Pool;
  readonly rules: SellingRules;
  /** Whether commands have come in of late; then half of the time is theirs. */
  readonly isBusy: () => boolean;
  readonly rowsMax: number;
  readonly emptyLinesMax: number;
}

export class RowIntake {
  readonly #options: IntakeOptions;
  readonly #codes: CodeBook;
  #stored: Promise<void> = Promise.resolve();
  #batch = new RowBatch(ROWS_EXPECTED);
  #other = new RowBatch(ROWS_EXPECTED);
  #begun = performance.now();

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#codes = new CodeBook(options.pool, CODES_REMEMBERED_MAX);
  }

  /**
   * How many rows were read, good or bad; all are stored.
   *
   * @throws UploadRefusedError where they cannot be read at all, or are too many
   */
  async take(body: MeteredBody, reader: RowReader, feed: FeedRecord): Promise<number> {
    const { rowsMax, emptyLinesMax } = this.#options;
    let total = 0;
    this.#begun = performance.now();
    for await (const lines of wholeLines(body)) {
      for (let from: number | null = 0; from !== null;) {
        const before = this.#batch.received;
        from = reader.read(lines, this.#batch, from);
        const read = this.#batch.received - before;
        if (read > 0) body.rowRead();
        total += read;
        if (total > rowsMax) throw tooLarge(`more than ${rowsMax} rows`);
        if (reader.emptyLines > emptyLinesMax) throw tooLarge(`more than ${emptyLinesMax} empty lines`);
        if (this.#batch.received >= ROWS_PER_PIECE) await this.#store(feed);
        // Bytes that have arrived are handed on without end; whoever else this process serves gets a turn between them.
        await turnOfOthers();
      }
    }
    await this.#store(feed);
    await this.#stored;
    return total;
  }

  async #store(feed: FeedRecord): Promise<void> {
    await this.#stored;
    // While commands come in, half of the time is theirs; what was waited for on the wire was theirs already.
    if (this.#options.isBusy()) await delay(Math.min(performance.now() - this.#begun, PAUSE_MS_MAX));
    this.#begun = performance.now();
    this.#other.clear();
    [this.#batch, this.#other] = [this.#other, this.#batch];
    this.#stored = this.#storePiece(feed, this.#other);
    // Whoever awaits it next gets the failure; until then it is not an unhandled one.
    this.#stored.catch(() => undefined);
  }

  async #storePiece(feed: FeedRecord, batch: RowBatch): Promise<void> {
    const skuKeys = await this.#codes.keysOf(batch.skus.list);
    const nodeKeys = batch.nodes.list.map((code) => this.#options.rules.nodesByCode.get(code)?.key ?? null);
    await stagePiece(this.#options.pool, feed, { batch, skuKeys, nodeKeys });
  }

  /** Waits for the piece that is being stored, however it ends: after that nothing more comes of this upload. */
  async settled(): Promise<void> {
    await this.#stored.catch(() => undefined);
  }
}
