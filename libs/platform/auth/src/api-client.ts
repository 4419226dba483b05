/** Who is calling: one API client, as one of its keys describes it. */
export interface ApiClient {
  /** Short integer for foreign keys and for idempotency scopes. */
  readonly key: number;
  /** The name that people and logs use. */
  readonly id: string;
  readonly scopes: ReadonlySet<string>;
  /** When the key in use ends; null means never. */
  readonly expiresAt: Date | null;
}

/** Where API keys are looked up. */
export interface ApiKeyStore {
  /**
   * The client whose key has this SHA-256 (64 lower-case hex digits), or null if there is none or it was revoked.
   * Expired keys are returned: whoever asks compares `expiresAt`, so that the caller can be told why it is refused.
   */
  findBySha256(sha256: string): Promise<ApiClient | null>;
}
