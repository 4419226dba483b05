/**
 * Cuts a byte stream into lines, many at a time. A row is always one line, in NDJSON and in a feed's CSV alike, since
 * none of its values can hold a line break; so line numbers are exact, and a broken row spoils no other.
 */
import { FEED_LINE_BYTES_MAX } from '@onepool/contracts';

export interface TextLine {
  /** Counted from 1. */
  readonly line: number;
  /** Null for a line that is too long to be read. */
  readonly text: string | null;
}

const LINE_FEED = 0x0a;

/** Yields the non-empty lines of each chunk. Memory is bounded by a chunk and the longest line allowed. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax = FEED_LINE_BYTES_MAX,
): AsyncGenerator<readonly TextLine[]> {
  let line = 1;
  let rest: Buffer = Buffer.alloc(0);
  /** The line under way is too long; it is skipped up to its end. */
  let skipping = false;
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const last = chunk.lastIndexOf(LINE_FEED);
    if (last < 0) {
      if (!skipping) rest = Buffer.concat([rest, chunk]);
      if (rest.length > lineBytesMax) {
        skipping = true;
        rest = Buffer.alloc(0);
      }
      continue;
    }
    const whole = Buffer.concat([rest, chunk.subarray(0, last)])
      .toString('utf8')
      .split('\n');
    const found: TextLine[] = [];
    for (const [index, text] of whole.entries()) {
      const isTooLong = (index === 0 && skipping) || text.length > lineBytesMax;
      if (isTooLong) found.push({ line, text: null });
      else if (text.trim() !== '') found.push({ line, text });
      line += 1;
    }
    skipping = false;
    // A copy, so that a short rest does not keep a large chunk in memory.
    rest = Buffer.from(chunk.subarray(last + 1));
    if (found.length > 0) yield found;
  }
  const text = rest.toString('utf8');
  if (skipping || text.length > lineBytesMax) yield [{ line, text: null }];
  else if (text.trim() !== '') yield [{ line, text }];
}
