/** Refusals that need no lock: unknown codes, replays with another body, unknown reservations. */
export type RefusalCode =
  | 'sku.unknown'
  | 'node.unknown'
  | 'channel.unknown'
  | 'node.forbidden'
  | 'channel.forbidden'
  | 'reservation.unknown'
  | 'idempotency.mismatch'
  | 'movement.in_future'
  | 'source.reserved'
  | 'feed.unknown'
  | 'feed.in_future'
  | 'version.not_reached'
  | 'ledger.too_long'
  | 'limit.rate';

export class Refusal extends Error {
  override readonly name = 'Refusal';

  readonly code: RefusalCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: RefusalCode, details: Readonly<Record<string, unknown>> = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}
