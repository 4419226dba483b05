/** A body as it passes: how many bytes, their hash, whether they end with a line, and no more of them than may be, in all and without a row. */
import { type Hash, createHash } from 'node:crypto';
import { LINE_FEED } from './line-splitter.ts';

export interface BodyLimits {
  readonly bytesMax: number;
  /** Bytes that may pass without a row among them: what compresses to nothing must not cost work without end. */
  readonly bytesWithoutRowMax: number;
}

export class MeteredBody implements AsyncIterable<Uint8Array> {
  /** Bytes so far. */
  bytes = 0;
  /** Whether the last line is whole: the body is empty, or its last byte is a line feed. */
  endsWithLine = true;
  #bytesAtRow = 0;
  readonly #hash: Hash = createHash('sha256');

  readonly #body: AsyncIterable<Uint8Array>;
  readonly #limits: BodyLimits;
  readonly #tooLarge: (reason: string) => Error;

  constructor(body: AsyncIterable<Uint8Array>, limits: BodyLimits, tooLarge: (reason: string) => Error) {
    this.#body = body;
    this.#limits = limits;
    this.#tooLarge = tooLarge;
  }

  /** A row was among what passed. */
  rowRead(): void {
    this.#bytesAtRow = this.bytes;
  }

  /** SHA-256 of all of it, once all of it has passed. */
  digest(): Buffer {
    return this.#hash.digest();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const { bytesMax, bytesWithoutRowMax } = this.#limits;
    for await (const chunk of this.#body) {
      if (chunk.byteLength === 0) continue;
      this.bytes += chunk.byteLength;
      this.endsWithLine = chunk[chunk.byteLength - 1] === LINE_FEED;
      if (this.bytes > bytesMax) throw this.#tooLarge(`more than ${bytesMax} bytes uncompressed`);
      if (this.bytes - this.#bytesAtRow > bytesWithoutRowMax)
        throw this.#tooLarge(`more than ${bytesWithoutRowMax} bytes without a row`);
      this.#hash.update(chunk);
      yield chunk;
    }
  }
}
