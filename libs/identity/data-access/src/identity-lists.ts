/** Lists for people who look after principals and keys. */

export interface PrincipalRow {
  readonly id: string;
  readonly kind: 'person' | 'service';
  /** Null: it was erased. */
  readonly name: string | null;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly nodes: readonly string[] | null;
  readonly channels: readonly string[] | null;
  readonly disabledAt: Date | null;
}

export interface KeyRow {
  readonly id: string;
  readonly principal: string;
  /** Of the principal; null: it was erased. */
  readonly name: string | null;
  /** The start of its SHA-256. */
  readonly fingerprint: string;
  /** Null: those of the principal; so are nodes and channels. */
  readonly scopes: readonly string[] | null;
  readonly nodes: readonly string[] | null;
  readonly channels: readonly string[] | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** A day in UTC, `2026-11-26`; null: never. */
  readonly lastUsedOn: string | null;
}

export interface RoleRow {
  readonly name: string;
  readonly scopes: readonly string[];
  /** Ids of the principals that have it. */
  readonly principals: readonly string[];
}

/** Every principal by name, the erased ones last. */
export const principalsSql = (at: string): string => `
  SELECT id, kind, name, scopes, nodes, channels, disabled_at AS "disabledAt",
         ARRAY(SELECT r.name FROM ${at}.principal_role pr JOIN ${at}.role r USING (role_key)
                WHERE pr.principal_key = p.principal_key ORDER BY 1) AS roles
    FROM ${at}.principal p ORDER BY name, id`;

/** Every key, revoked and ended ones included, by principal and age. */
export const keysSql = (at: string): string => `
  SELECT k.id, p.id AS principal, p.name, left(encode(k.key_sha256, 'hex'), 12) AS fingerprint, k.scopes, k.nodes, k.channels,
         k.created_at AS "createdAt", k.expires_at AS "expiresAt", k.revoked_at AS "revokedAt",
         u.last_used_on::text AS "lastUsedOn"
    FROM ${at}.api_key k JOIN ${at}.principal p USING (principal_key) LEFT JOIN ${at}.api_key_use u USING (key_sha256)
   ORDER BY p.name, p.id, k.created_at, k.id`;

export const rolesSql = (at: string): string => `
  SELECT name, scopes, ARRAY(SELECT p.id FROM ${at}.principal_role pr JOIN ${at}.principal p USING (principal_key)
                              WHERE pr.role_key = r.role_key ORDER BY 1) AS principals
    FROM ${at}.role r ORDER BY name`;
