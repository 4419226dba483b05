/**
 * Makes and changes principals, roles and keys, as the owner of their tables. Every change steps the version of the identity
 * in its own transaction and says whom it concerns, so that whoever remembers rights forgets them within a second.
 */
import { randomBytes } from 'node:crypto';
import { type Scope, isScope } from '@onepool/platform-auth';
import { OperatorError } from '@onepool/platform-config';
import { commitPoint } from '@onepool/platform-failpoints';
import { inTransaction } from '@onepool/platform-postgres';
import pg from 'pg';
import { type KeyRow, type PrincipalRow, type RoleRow, keysSql, principalsSql } from './identity-lists.ts';

const CHANGE = commitPoint('identity.change');

export type PrincipalKind = 'person' | 'service';

/** Codes of nodes or channels; null: all. */
export interface Limits {
  readonly nodes: readonly string[] | null;
  readonly channels: readonly string[] | null;
}

export interface NewPrincipal extends Limits {
  /** Unique. Of a service: lower case, digits, `.`, `_`, `-`, and nothing that begins with `onepool`. */
  readonly name: string;
  readonly kind: PrincipalKind;
  readonly scopes: readonly Scope[];
  readonly roles: readonly string[];
}

/** What is absent stays. */
export type PrincipalChange = Partial<Omit<NewPrincipal, 'name' | 'kind'>> & { readonly isDisabled?: boolean };

export interface NewKey extends Limits {
  readonly sha256: string;
  /** Null: those of the principal. */
  readonly scopes: readonly Scope[] | null;
  /** Null: never. */
  readonly expiresAt: Date | null;
}

const SERVICE_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const PERSON_NAME = /^\P{C}{1,200}$/u;
/** Under this name the system's own doings are recorded. */
const RESERVED_NAME = /^onepool(?:[._-]|$)/;
/** A name is never taken for an id. */
const ID = /^(prn|key)_/;
const ROLE_NAME = /^[a-z][a-z0-9-]{0,31}$/;
const CODES_MAX = 2_000;
const UNIQUE_VIOLATION = '23505';

export class IdentityAdmin {
  readonly #pool: pg.Pool;
  readonly #at: string;

  constructor(pool: pg.Pool, schema: string) {
    this.#pool = pool;
    this.#at = pg.escapeIdentifier(schema);
  }

  /** @returns its id. @throws OperatorError */
  async addPrincipal({ name, kind, scopes, roles, nodes, channels }: NewPrincipal): Promise<string> {
    demandName(name, kind);
    demandScopes(scopes);
    demandCodes({ nodes, channels });
    const id = newId('prn');
    await this.#change(async (client) => {
      await client.query(
        `INSERT INTO ${this.#at}.principal (id, kind, name, scopes, nodes, channels) VALUES ($1, $2, $3, $4, $5, $6)`,
        [id, kind, name, scopes, nodes, channels],
      );
      await this.#giveRoles(client, id, roles);
      return [];
    }, `There is a principal ${name} already.`);
    return id;
  }

  /** Changes a principal, by id or name. @throws OperatorError */
  async changePrincipal(named: string, change: PrincipalChange): Promise<void> {
    const { scopes, nodes, channels, roles, isDisabled } = change;
    if (scopes) demandScopes(scopes);
    demandCodes(change);
    await this.#change(async (client) => {
      const id = await this.#idOf(client, named);
      await client.query(
        `UPDATE ${this.#at}.principal SET
           scopes = coalesce($2, scopes),
           nodes = CASE WHEN $3 THEN $4 ELSE nodes END,
           channels = CASE WHEN $5 THEN $6 ELSE channels END,
           disabled_at = CASE WHEN $7::boolean IS NULL THEN disabled_at WHEN $7 THEN coalesce(disabled_at, clock_timestamp()) END
         WHERE id = $1`,
        [id, scopes, nodes !== undefined, nodes, channels !== undefined, channels, isDisabled],
      );
      if (roles) {
        await client.query(
          `DELETE FROM ${this.#at}.principal_role USING ${this.#at}.principal p
            WHERE principal_role.principal_key = p.principal_key AND p.id = $1`,
          [id],
        );
        await this.#giveRoles(client, id, roles);
      }
      return [id];
    });
  }

  /** Makes a role, or gives it other scopes. @throws OperatorError */
  async putRole(name: string, scopes: readonly Scope[]): Promise<void> {
    if (!ROLE_NAME.test(name))
      throw new OperatorError(`${name} is no name for a role: a to z, 0 to 9 and -, a letter first.`);
    demandScopes(scopes);
    await this.#change(async (client) => {
      await client.query(
        `INSERT INTO ${this.#at}.role (name, scopes) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET scopes = excluded.scopes`,
        [name, scopes],
      );
      const { rows } = await client.query<{ id: string }>(
        `SELECT p.id FROM ${this.#at}.principal p JOIN ${this.#at}.principal_role USING (principal_key)
           JOIN ${this.#at}.role r USING (role_key) WHERE r.name = $1`,
        [name],
      );
      return rows.map(({ id }) => id);
    });
  }

  /**
   * Stores a key of a principal. Repeating it with the same key renews what it may and its end, so a start-up may do it
   * every time.
   *
   * @returns its id. @throws OperatorError when it was revoked, or is somebody else's.
   */
  async addKey(named: string, { sha256, scopes, nodes, channels, expiresAt }: NewKey): Promise<string> {
    if (scopes) demandScopes(scopes);
    demandCodes({ nodes, channels });
    let id = newId('key');
    await this.#change(async (client) => {
      const principal = await this.#idOf(client, named);
      const { rows } = await client.query<{ id: string; isNew: boolean }>(
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
    });
    return id;
  }

  /** Revokes a key by its id. It stops within a second. @throws OperatorError when there is none that is not revoked. */
  async revokeKey(id: string): Promise<void> {
    await this.#change(async (client) => {
      const { rows } = await client.query<{ principal: string }>(
        `UPDATE ${this.#at}.api_key k SET revoked_at = clock_timestamp() FROM ${this.#at}.principal p
          WHERE p.principal_key = k.principal_key AND k.id = $1 AND k.revoked_at IS NULL RETURNING p.id AS principal`,
        [id],
      );
      if (rows.length === 0) throw new OperatorError(`There is no key ${id} that is not revoked already.`);
      return rows.map(({ principal }) => principal);
    });
  }

  async principals(): Promise<readonly PrincipalRow[]> {
    return (await this.#pool.query<PrincipalRow>(principalsSql(this.#at))).rows;
  }

  async keys(): Promise<readonly KeyRow[]> {
    return (await this.#pool.query<KeyRow>(keysSql(this.#at))).rows;
  }

  async roles(): Promise<readonly RoleRow[]> {
    return (await this.#pool.query<RoleRow>(`SELECT name, scopes FROM ${this.#at}.role ORDER BY name`)).rows;
  }

  /** `work` answers the principals that it concerned. */
  async #change(work: (client: pg.PoolClient) => Promise<readonly string[]>, taken?: string): Promise<void> {
    try {
      await inTransaction(this.#pool, CHANGE, async (client) => {
        // The row is locked first: steps follow upon each other in the order of their commits.
        const { rows } = await client.query<{ epoch: string }>(
          `UPDATE ${this.#at}.identity_version SET epoch = epoch + 1 RETURNING epoch::text`,
        );
        const principals = await work(client);
        await client.query(`INSERT INTO ${this.#at}.identity_step (epoch, principals) VALUES ($1, $2)`, [
          rows[0]?.epoch,
          principals,
        ]);
      });
    } catch (error) {
      if (taken !== undefined && error instanceof pg.DatabaseError && error.code === UNIQUE_VIOLATION)
        throw new OperatorError(taken, { cause: error });
      throw error;
    }
  }

  async #idOf(client: pg.PoolClient, named: string): Promise<string> {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM ${this.#at}.principal WHERE id = $1 OR name = $1 ORDER BY id = $1 DESC LIMIT 1`,
      [named],
    );
    const [row] = rows;
    if (!row) throw new OperatorError(`There is no principal ${named}.`);
    return row.id;
  }

  async #giveRoles(client: pg.PoolClient, id: string, roles: readonly string[]): Promise<void> {
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

/** 60 random bits in base 32: opaque, and short. */
const newId = (prefix: 'prn' | 'key'): string => {
  const digits = [...randomBytes(12)].map((byte) => 'abcdefghijklmnopqrstuvwxyz234567'[byte % 32]);
  return `${prefix}_${digits.join('')}`;
};

function demandName(name: string, kind: PrincipalKind): void {
  const pattern = kind === 'service' ? SERVICE_NAME : PERSON_NAME;
  if (!pattern.test(name)) throw new OperatorError(`${name} is no name for a ${kind}.`);
  if (RESERVED_NAME.test(name)) throw new OperatorError(`${name} is reserved for the system itself.`);
  if (ID.test(name)) throw new OperatorError(`${name} looks like an id, which it is not.`);
}

function demandScopes(scopes: readonly string[]): void {
  const wrong = scopes.filter((scope) => !isScope(scope));
  if (wrong.length > 0) throw new OperatorError(`No scopes: ${wrong.join(', ')}.`);
}

function demandCodes({ nodes, channels }: Partial<Limits>): void {
  for (const codes of [nodes, channels]) {
    if (codes && codes.length > CODES_MAX) throw new OperatorError(`A limit names at most ${CODES_MAX} codes.`);
  }
}
