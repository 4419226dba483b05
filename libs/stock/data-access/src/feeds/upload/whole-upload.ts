/** Whether all of a feed has come, and what an upload that is refused leaves behind as its reason. */
import type { FeedQuery } from '@onepool/contracts';
import type { FeedRecord } from '../feed-record.ts';
import { MeteredBody } from './metered-body.ts';
import { UploadRefusedError } from './upload-refused.ts';

export interface Received {
  /** Rows, good or bad. */
  readonly received: number;
  /** The body ends within a line, and that line is no whole row. */
  readonly isCut: boolean;
}

/**
 * What a full count does not name counts 0, so half of one is worse than none: it has a row, and its last line is whole.
 *
 * @throws UploadRefusedError `feed.rows_differ` or `feed.incomplete`
 */
export function demandWhole({ completeness, expectedRows }: FeedQuery, { received, isCut }: Received): void {
  if (expectedRows !== undefined && received !== expectedRows) {
    const detail = `${received} rows were received where ${expectedRows} were expected`;
    throw new UploadRefusedError('feed.rows_differ', detail, { expectedRows, receivedRows: received });
  }
  if (completeness !== 'full') return;
  if (received === 0) throw incomplete('a full count without a single row');
  if (isCut) throw incomplete('a full count whose body ends within its last line');
}

const incomplete = (detail: string): UploadRefusedError => new UploadRefusedError('feed.incomplete', detail);

/**
 * An id is used up by the body that was received under it: a mended one would be lost without a word. What is sent again is
 * read as far as it may be the same, and no further.
 *
 * @throws UploadRefusedError `idempotency.mismatch`
 */
export async function demandSameBody(
  body: AsyncIterable<Uint8Array>,
  { body_hash, body_size }: Pick<FeedRecord, 'body_hash' | 'body_size'>,
): Promise<void> {
  if (body_hash === null || body_size === null) return;
  const otherBody = (): UploadRefusedError =>
    new UploadRefusedError('idempotency.mismatch', 'The id was used with another body.');
  const again = new MeteredBody(body, { bytesMax: body_size, bytesWithoutRowMax: body_size }, otherBody);
  for await (const chunk of again) {
    // Only their hash is of interest, and that the caller may still send them.
    void chunk;
  }
  if (!again.digest().equals(body_hash)) throw otherBody();
}

/** Null where the upload was cut, or another has taken over: then there is nothing to fail. */
export function failureOf(error: unknown): string | null {
  if (error instanceof UploadRefusedError) return error.refusal.code === 'feed.superseded' ? null : error.message;
  const isNotGzip = error instanceof Error && 'code' in error && /^Z_[A-Z]+_ERROR$/.test(String(error.code));
  return isNotGzip ? `the body cannot be decompressed: ${error.message}` : null;
}
