/**
 * One change of the identity: its rows, its step of the epoch and its facts commit together. The epoch makes whoever remembers
 * rights forget them within a second; the facts tell those who were away.
 */
import { isDeepStrictEqual } from 'node:util';
import { IDENTITY_FACTS } from '@onepool/contracts';
import { commitPoint } from '@onepool/platform-failpoints';
import { factKey } from '@onepool/platform-messaging';
import { type Told, UnitOfWork, type VersionedFact, type Work } from '@onepool/platform-unit-of-work';
import pg from 'pg';

const CHANGE = commitPoint('identity.change');
const [PRINCIPAL, ROLE, KEY] = IDENTITY_FACTS;

/** Of the identity's outbox: people change it, so one is enough, and all its facts are relayed by one. */
export const IDENTITY_OUTBOX_PARTITIONS = 1;

export const principalKey = (id: string): string => factKey('principal', id);
export const roleKey = (name: string): string => factKey('role', name);

export class IdentityChanges {
  readonly #at: string;
  readonly #units: UnitOfWork;

  constructor(pool: pg.Pool, schema: string) {
    this.#at = pg.escapeIdentifier(schema);
    const partitionCount = IDENTITY_OUTBOX_PARTITIONS;
    this.#units = new UnitOfWork({ pool, schema, source: '/onepool/identity', partitionCount });
  }

  /** `about` is the key of what is changed; `work` answers the principals that it concerned. */
  async run(about: string, work: (change: IdentityChange) => Promise<readonly string[]>): Promise<void> {
    await this.#units.run({ commit: CHANGE, locks: [about] }, async (unit) => {
      // Its row is locked until the end: steps, and facts, follow upon each other in the order of their commits.
      const { rows } = await unit.client.query<{ epoch: string }>(
        `UPDATE ${this.#at}.identity_version SET epoch = epoch + 1 RETURNING epoch::text`,
      );
      const epoch = Number(rows[0]?.epoch);
      const principals = await work(new IdentityChange(unit, this.#at, epoch));
      await unit.client.query(`INSERT INTO ${this.#at}.identity_step (epoch, principals) VALUES ($1, $2)`, [
        epoch,
        principals,
      ]);
    });
  }
}

export class IdentityChange {
  readonly client: Work['client'];
  readonly #unit: Work;
  readonly #at: string;
  readonly #epoch: number;

  constructor(unit: Work, at: string, epoch: number) {
    this.client = unit.client;
    this.#unit = unit;
    this.#at = at;
    this.#epoch = epoch;
  }

  /** Tells the principal's state after the change, unless that is what it was. */
  async ofPrincipal<T>(id: string, change: () => Promise<T>): Promise<T> {
    return this.#telling(principalKey(id), PRINCIPAL, principalSql(this.#at), id, change);
  }

  async ofRole<T>(name: string, change: () => Promise<T>): Promise<T> {
    return this.#telling(roleKey(name), ROLE, roleSql(this.#at), name, change);
  }

  /** The key is known by its SHA-256, since a new one has no id before the change. */
  async ofKey<T>(principal: string, sha256: string, change: () => Promise<T>): Promise<T> {
    return this.#telling(principalKey(principal), KEY, keySql(this.#at), sha256, change);
  }

  async #telling<const F extends VersionedFact, T>(
    about: string,
    fact: F,
    sql: string,
    name: string,
    change: () => Promise<T>,
  ): Promise<T> {
    const read = async () => (await this.client.query<Omit<Told<F>, 'epoch'>>(sql, [name])).rows[0];
    const before = await read();
    const result = await change();
    const after = await read();
    if (after && !isDeepStrictEqual(before, after))
      this.#unit.tell(about, fact, { ...after, epoch: this.#epoch } as unknown as Told<F>);
    return result;
  }
}

const principalSql = (at: string): string => `
  SELECT id AS principal, kind, scopes, nodes, channels, disabled_at IS NOT NULL AS disabled, name IS NULL AS erased,
         ARRAY(SELECT r.name FROM ${at}.principal_role pr JOIN ${at}.role r USING (role_key)
                WHERE pr.principal_key = p.principal_key ORDER BY 1) AS roles
    FROM ${at}.principal p WHERE id = $1`;

const roleSql = (at: string): string => `SELECT name AS role, scopes FROM ${at}.role WHERE name = $1`;

const keySql = (at: string): string => `
  SELECT k.id AS key, p.id AS principal, k.scopes, k.nodes, k.channels, k.revoked_at IS NOT NULL AS revoked,
         to_char(k.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS "expiresAt"
    FROM ${at}.api_key k JOIN ${at}.principal p USING (principal_key) WHERE k.key_sha256 = decode($1, 'hex')`;
