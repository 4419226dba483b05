import type { Pool } from 'pg';
import type { ApiClient, ApiKeyStore } from './api-client.ts';
import { type Scope, isScope } from './scopes.ts';

const IDENTIFIER = /^[a-z_][a-z0-9_]{0,62}$/;
const CLIENT_ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Under this name the system's own doings are recorded. */
const RESERVED_CLIENT_ID = /^onepool(?:[._-]|$)/;
const SHA256_HEX = /^[0-9a-f]{64}$/;

/** A key to be stored; the key itself never gets here. */
export interface ApiKeyRegistration {
  /** Name of the client, created if it is new: lower case, digits, `.`, `_`, `-`; not `onepool`, nor what begins so. */
  readonly clientId: string;
  readonly sha256: string;
  readonly scopes: readonly Scope[];
  /** null means that it never expires. */
  readonly expiresAt: Date | null;
}

/** A stored key, as a list shows it. `fingerprint` is the start of its SHA-256. */
export interface ApiKeyRow {
  readonly clientId: string;
  readonly fingerprint: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly createdAt: Date;
}

/** API keys in the app's own PostgreSQL schema. One client may have several keys, so that keys can be rotated. */
export class PostgresApiKeyStore implements ApiKeyStore {
  readonly #pool: Pool;
  readonly #at: string;

  constructor(pool: Pool, schema: string) {
    this.#pool = pool;
    this.#at = quoted(schema);
  }

  async findBySha256(sha256: string): Promise<ApiClient | null> {
    const { rows } = await this.#pool.query<{ key: number; id: string; scopes: string[]; expires_at: Date | null }>({
      name: 'onepool-api-key-by-sha256',
      text: `SELECT c.key, c.id, k.scopes, k.expires_at
        FROM ${this.#at}.api_key k JOIN ${this.#at}.api_client c ON c.key = k.client_key
        WHERE k.key_sha256 = decode($1, 'hex') AND k.revoked_at IS NULL`,
      values: [sha256],
    });
    const [row] = rows;
    return row ? { key: row.key, id: row.id, scopes: new Set(row.scopes), expiresAt: row.expires_at } : null;
  }

  /**
   * Stores a key. Repeating it with the same key renews its scopes and expiry, so a start-up may call it every time.
   *
   * @throws Error for a bad id, hash or scope, and for a key that was revoked or is another client's.
   */
  async register(registration: ApiKeyRegistration): Promise<void> {
    const { clientId, sha256, scopes, expiresAt } = registration;
    if (!CLIENT_ID.test(clientId)) throw new Error(`Not a client id: ${clientId}`);
    if (RESERVED_CLIENT_ID.test(clientId)) throw new Error(`Reserved for the system itself: ${clientId}`);
    if (!SHA256_HEX.test(sha256)) throw new Error('Not a SHA-256 in lower-case hex');
    const unknown = scopes.filter((scope) => !isScope(scope));
    if (scopes.length === 0 || unknown.length > 0) throw new Error(`Not a list of scopes: ${scopes.join(', ')}`);
    await this.#pool.query(`INSERT INTO ${this.#at}.api_client (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`, [
      clientId,
    ]);
    const { rowCount } = await this.#pool.query(
      `INSERT INTO ${this.#at}.api_key AS k (key_sha256, client_key, scopes, expires_at)
        SELECT decode($1, 'hex'), key, $2::text[], $3::timestamptz FROM ${this.#at}.api_client WHERE id = $4
        ON CONFLICT (key_sha256) DO UPDATE SET scopes = excluded.scopes, expires_at = excluded.expires_at
        WHERE k.client_key = excluded.client_key AND k.revoked_at IS NULL`,
      [sha256, scopes, expiresAt, clientId],
    );
    if (rowCount !== 1) throw new Error(`The key was revoked, or is not the client's: ${clientId}`);
  }

  /**
   * Revokes a client's keys, or only those whose SHA-256 starts with `fingerprint` (8 hex digits or more). Returns how
   * many were revoked by this call. Replicas stop accepting them within 5 s.
   */
  async revoke(clientId: string, fingerprint?: string): Promise<number> {
    if (fingerprint !== undefined && !/^[0-9a-f]{8,64}$/.test(fingerprint)) {
      throw new Error('A fingerprint is the first 8 or more hex digits of the SHA-256');
    }
    const { rowCount } = await this.#pool.query(
      `UPDATE ${this.#at}.api_key k SET revoked_at = now() FROM ${this.#at}.api_client c
        WHERE c.key = k.client_key AND c.id = $1 AND k.revoked_at IS NULL
          AND starts_with(encode(k.key_sha256, 'hex'), $2)`,
      [clientId, fingerprint ?? ''],
    );
    return rowCount ?? 0;
  }

  /** Every key, revoked and expired ones included, by client and age. */
  async list(): Promise<readonly ApiKeyRow[]> {
    const { rows } = await this.#pool.query<ApiKeyRow>(
      `SELECT c.id AS "clientId", left(encode(k.key_sha256, 'hex'), 12) AS fingerprint, k.scopes,
          k.expires_at AS "expiresAt", k.revoked_at AS "revokedAt", k.created_at AS "createdAt"
        FROM ${this.#at}.api_key k JOIN ${this.#at}.api_client c ON c.key = k.client_key
        ORDER BY c.id, k.created_at, k.key_sha256`,
    );
    return rows;
  }
}

function quoted(schema: string): string {
  if (!IDENTIFIER.test(schema)) throw new Error(`Not a schema name: ${schema}`);
  return `"${schema}"`;
}
