/** Ends an upload from within its stream; whoever receives the feed answers with the refusal. */
import type { Refusal, RefusalCode } from '../../requests/refusal.ts';

export class UploadRefusedError extends Error {
  override readonly name = 'UploadRefusedError';

  readonly refusal: Refusal;

  constructor(code: RefusalCode, detail: string, details: Refusal['details'] = {}) {
    super(detail);
    this.refusal = { code, detail, details };
  }
}

/** The first line of a CSV names no columns that a feed could have, so that no row can be read. */
export const headerInvalid = (detail: string): UploadRefusedError =>
  new UploadRefusedError('feed.header_invalid', detail);

/** Another upload with the same id has begun since, or the feed is being applied. */
export const superseded = (detail: string): UploadRefusedError => new UploadRefusedError('feed.superseded', detail);

/** More than a feed may be, or so much of nothing that no feed would be. */
export const tooLarge = (detail: string): UploadRefusedError => new UploadRefusedError('feed.too_large', detail);
