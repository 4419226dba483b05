import type { Rights } from '@onepool/platform-rights';

/** Who is calling, and what this call may do. */
export interface Caller extends Rights {
  /** The principal whose key it is, `prn_…`. Idempotency is its own, and so is what it makes unless it says otherwise. */
  readonly id: string;
  readonly kind: 'person' | 'service';
  /** The person that calls, or on whose behalf a service does; null where nobody in particular does. */
  readonly person: string | null;
  /** When the key in use ends; null means never. */
  readonly expiresAt: Date | null;
}

/** Opaque; as short as they are because they lead the busiest indexes. */
export const isPrincipalId = (text: string): boolean => /^prn_[a-z2-7]{12}$/.test(text);
