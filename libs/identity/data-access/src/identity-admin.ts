/**
 * Makes and changes principals, roles and keys, as the owner of their tables. Every change steps the version of the identity
 * and tells its facts in its own transaction.
 */
import type { Scope } from '@onepool/platform-auth';
import { OperatorError } from '@onepool/platform-config';
import pg from 'pg';
import { type IdentityChange, IdentityChanges, principalKey, roleKey } from './identity-change.ts';
import {
  type KeyChange,
  type NewKey,
  type NewPrincipal,
  type PrincipalChange,
  demandCodes,
  demandName,
  demandRoleName,
  demandScopes,
  newId,
} from './identity-input.ts';
import { type KeyRow, type PrincipalRow, type RoleRow, keysSql, principalsSql, rolesSql } from './identity-lists.ts';

const UNIQUE_VIOLATION = '23505';

export class IdentityAdmin {
  readonly #pool: pg.Pool;
  readonly #at: string;
  readonly #changes: IdentityChanges;

  constructor(pool: pg.Pool, schema: string) {
    this.#pool = pool;
    this.#at = pg.escapeIdentifier(schema);
    this.#changes = new IdentityChanges(pool, schema);
  }

  /** The id of a principal, by id or name; null if there is none. @throws OperatorError when several have the name. */
  async find(named: string): Promise<string | null> {
    const { rows } = await this.#pool.query<{ id: string }>(
      `SELECT id FROM ${this.#at}.principal WHERE id = $1 OR name = $1 ORDER BY id`,
      [named],
    );
    if (rows.length > 1) {
      const ids = rows.map(({ id }) => id).join(', ');
      throw new OperatorError(`${rows.length} principals are called ${named}: name one by its id, ${ids}.`);
    }
    return rows[0]?.id ?? null;
  }

  /** @returns its id. @throws OperatorError */
  async addPrincipal({ name, kind, scopes, roles, nodes, channels }: NewPrincipal): Promise<string> {
    demandName(name, kind);
    demandScopes(scopes);
    demandCodes({ nodes, channels });
    const id = newId('prn');
    const adding = this.#changes.run(principalKey(id), (change) =>
      change.ofPrincipal(id, async () => {
        await change.client.query(
          `INSERT INTO ${this.#at}.principal (id, kind, name, scopes, nodes, channels) VALUES ($1, $2, $3, $4, $5, $6)`,
          [id, kind, name, scopes, nodes, channels],
        );
        await this.#giveRoles(change, id, roles);
        return [];
      }),
    );
    await adding.catch((error: unknown) => {
      if (!(error instanceof pg.DatabaseError) || error.code !== UNIQUE_VIOLATION) throw error;
      throw new OperatorError(`There is a service ${name} already.`, { cause: error });
    });
    return id;
  }

  /** Changes a principal, by id or name. @throws OperatorError */
  async changePrincipal(named: string, change: PrincipalChange): Promise<void> {
    const { scopes, nodes, channels, roles, isDisabled } = change;
    demandScopes(scopes);
    demandCodes(change);
    const id = await this.#idOf(named);
    await this.#changes.run(principalKey(id), (unit) =>
      unit.ofPrincipal(id, async () => {
        const { rows } = await unit.client.query<{ isErased: boolean }>(
          `UPDATE ${this.#at}.principal SET
             scopes = coalesce($2, scopes),
             nodes = CASE WHEN $3 THEN $4 ELSE nodes END,
             channels = CASE WHEN $5 THEN $6 ELSE channels END,
             disabled_at = CASE WHEN $7::boolean IS NULL OR name IS NULL THEN disabled_at
                                WHEN $7 THEN coalesce(disabled_at, clock_timestamp()) END
           WHERE id = $1 RETURNING name IS NULL AS "isErased"`,
          [id, scopes, nodes !== undefined, nodes, channels !== undefined, channels, isDisabled],
        );
        if (rows[0]?.isErased && isDisabled === false)
          throw new OperatorError(`${id} was erased: nobody knows who that was, so it stays disabled.`);
        if (roles) {
          await unit.client.query(
            `DELETE FROM ${this.#at}.principal_role USING ${this.#at}.principal p
              WHERE principal_role.principal_key = p.principal_key AND p.id = $1`,
            [id],
          );
          await this.#giveRoles(unit, id, roles);
        }
        return [id];
      }),
    );
  }

  /** Forgets for good what a person is called, and disables it. Its id stays, for ledger and facts name it. @throws OperatorError */
  async erasePerson(id: string): Promise<void> {
    await this.#changes.run(principalKey(id), (change) =>
      change.ofPrincipal(id, async () => {
        const { rowCount } = await change.client.query(
          `UPDATE ${this.#at}.principal SET name = NULL, disabled_at = coalesce(disabled_at, clock_timestamp())
            WHERE id = $1 AND kind = 'person'`,
          [id],
        );
        if (rowCount === 0) throw new OperatorError(`There is no person with the id ${id}.`);
        return [id];
      }),
    );
  }

  /** Makes a role, or gives it other scopes. @throws OperatorError */
  async putRole(name: string, scopes: readonly Scope[]): Promise<void> {
    demandRoleName(name);
    demandScopes(scopes);
    await this.#changes.run(roleKey(name), (change) =>
      change.ofRole(name, async () => {
        await change.client.query(
          `INSERT INTO ${this.#at}.role (name, scopes) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET scopes = excluded.scopes`,
          [name, scopes],
        );
        const { rows } = await change.client.query<{ id: string }>(
          `SELECT p.id FROM ${this.#at}.principal p JOIN ${this.#at}.principal_role USING (principal_key)
             JOIN ${this.#at}.role r USING (role_key) WHERE r.name = $1`,
          [name],
        );
        return rows.map(({ id }) => id);
      }),
    );
  }

  /**
   * Stores a key of a principal. Repeating it with the same key renews what it may and its end, so a start-up may do it
   * every time.
   *
   * @returns its id. @throws OperatorError when it was revoked, or is somebody else's.
   */
  async addKey(named: string, { sha256, scopes, nodes, channels, expiresAt }: NewKey): Promise<string> {
    demandScopes(scopes);
    demandCodes({ nodes, channels });
    const principal = await this.#idOf(named);
    let id = newId('key');
    await this.#changes.run(principalKey(principal), (change) =>
      change.ofKey(principal, sha256, async () => {
        const { rows } = await change.client.query<{ id: string; isNew: boolean }>(
          `INSERT INTO ${this.#at}.api_key AS k (key_sha256, id, principal_key, scopes, nodes, channels, expires_at)
           SELECT decode($1, 'hex'), $2, principal_key, $3, $4, $5, $6 FROM ${this.#at}.principal WHERE id = $7
           ON CONFLICT (key_sha256) DO UPDATE
             SET scopes = excluded.scopes, nodes = excluded.nodes, channels = excluded.channels, expires_at = excluded.expires_at
           WHERE k.principal_key = excluded.principal_key AND k.revoked_at IS NULL
           RETURNING id, id = $2 AS "isNew"`,
          [sha256, id, scopes, nodes, channels, expiresAt, principal],
        );
        const [row] = rows;
        if (!row)
          throw new OperatorError(
            `The key was revoked, or is not ${named}'s: make another; if it came out of a file, remove that first.`,
          );
        id = row.id;
        // Nobody remembers a new one, but for a moment that it is unknown.
        return row.isNew ? [] : [principal];
      }),
    );
    return id;
  }

  /** Changes what a key may, and its end. @throws OperatorError when there is none that is not revoked. */
  async changeKey(id: string, { scopes, nodes, channels, expiresAt }: KeyChange): Promise<void> {
    demandScopes(scopes);
    demandCodes({ ...(nodes === undefined ? {} : { nodes }), ...(channels === undefined ? {} : { channels }) });
    const given = [scopes, nodes, channels, expiresAt].flatMap((value) => [value !== undefined, value ?? null]);
    await this.#changeKey(
      id,
      `scopes = CASE WHEN $2 THEN $3 ELSE k.scopes END, nodes = CASE WHEN $4 THEN $5 ELSE k.nodes END,
       channels = CASE WHEN $6 THEN $7 ELSE k.channels END, expires_at = CASE WHEN $8 THEN $9 ELSE k.expires_at END`,
      given,
    );
  }

  /** Revokes a key by its id. It stops within a second. @throws OperatorError when there is none that is not revoked. */
  async revokeKey(id: string): Promise<void> {
    await this.#changeKey(id, 'revoked_at = clock_timestamp()', []);
  }

  async principals(): Promise<readonly PrincipalRow[]> {
    return (await this.#pool.query<PrincipalRow>(principalsSql(this.#at))).rows;
  }

  async keys(): Promise<readonly KeyRow[]> {
    return (await this.#pool.query<KeyRow>(keysSql(this.#at))).rows;
  }

  async roles(): Promise<readonly RoleRow[]> {
    return (await this.#pool.query<RoleRow>(rolesSql(this.#at))).rows;
  }

  async #changeKey(id: string, assignments: string, values: readonly unknown[]): Promise<void> {
    const none = new OperatorError(`There is no key ${id} that is not revoked already.`);
    // Whose a key is, and what it is, never changes.
    const { rows } = await this.#pool.query<{ principal: string; sha256: string }>(
      `SELECT p.id AS principal, encode(key_sha256, 'hex') AS sha256
         FROM ${this.#at}.api_key k JOIN ${this.#at}.principal p USING (principal_key) WHERE k.id = $1`,
      [id],
    );
    const [key] = rows;
    if (!key) throw none;
    await this.#changes.run(principalKey(key.principal), (change) =>
      change.ofKey(key.principal, key.sha256, async () => {
        const sql = `UPDATE ${this.#at}.api_key k SET ${assignments} WHERE k.id = $1 AND k.revoked_at IS NULL`;
        const { rowCount } = await change.client.query(sql, [id, ...values]);
        if (rowCount === 0) throw none;
        return [key.principal];
      }),
    );
  }

  async #idOf(named: string): Promise<string> {
    const id = await this.find(named);
    if (id === null) throw new OperatorError(`There is no principal ${named}.`);
    return id;
  }

  async #giveRoles({ client }: IdentityChange, id: string, roles: readonly string[]): Promise<void> {
    const { rows } = await client.query<{ name: string }>(
      `WITH given AS (
         INSERT INTO ${this.#at}.principal_role
         SELECT principal_key, role_key FROM ${this.#at}.principal, ${this.#at}.role r WHERE id = $1 AND r.name = ANY($2)
         RETURNING role_key)
       SELECT name FROM given JOIN ${this.#at}.role USING (role_key)`,
      [id, roles],
    );
    const missing = roles.filter((role) => !rows.some(({ name }) => name === role));
    if (missing.length > 0) throw new OperatorError(`There is no role ${missing.join(', ')}.`);
  }
}
