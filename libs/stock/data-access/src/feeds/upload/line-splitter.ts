/**
 * Cuts a byte stream at the ends of lines, many lines at a time. A row is always one line, in NDJSON and in a feed's CSV
 * alike, since none of its values can hold a line break; so line numbers are exact, and a broken row spoils no other.
 */
import { FEED_LINE_BYTES_MAX } from '@onepool/contracts';

export const LINE_FEED = 0x0a;
const NOTHING = Buffer.alloc(0);

/**
 * Yields whole lines with the line feeds between them, without the last one's; null stands for one line that is too long
 * to be kept. Memory is bounded by a chunk and the longest line allowed.
 */
export async function* wholeLines(
  chunks: AsyncIterable<Uint8Array>,
  lineBytesMax = FEED_LINE_BYTES_MAX,
): AsyncGenerator<Buffer | null> {
  let rest: Buffer = NOTHING;
  /** The line under way is too long; it is skipped up to its end. */
  let skipping = false;
  for await (const bytes of chunks) {
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const last = chunk.lastIndexOf(LINE_FEED);
    if (last < 0) {
      if (!skipping) rest = Buffer.concat([rest, chunk]);
      if (rest.length > lineBytesMax) {
        skipping = true;
        rest = NOTHING;
      }
      continue;
    }
    const from = skipping ? chunk.indexOf(LINE_FEED) + 1 : 0;
    if (skipping) yield null;
    skipping = false;
    if (last >= from) yield Buffer.concat([rest, chunk.subarray(from, last)]);
    // A copy, so that a short rest does not keep a large chunk in memory.
    rest = Buffer.from(chunk.subarray(last + 1));
  }
  if (skipping) yield null;
  else if (rest.length > 0) yield rest;
}
