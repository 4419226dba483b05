/** Who keys and persons are, from the tables of the identity module, for the app that has them. */
import { setTimeout as delay } from 'node:timers/promises';
import type {
  FoundIdentity,
  Grant,
  IdentityAnswer,
  IdentityBeat,
  IdentityQuestion,
  IdentitySource,
} from '@onepool/platform-auth';
import { commitPoint, committing } from '@onepool/platform-failpoints';
import pg from 'pg';

const NOTE_USE = commitPoint('identity.note_use');

/** Far below the second within which a revoked key stops. */
const LOOK_EVERY_MS = 250;
/** Steps that a beat tells; who missed more forgets everything. */
const STEPS_TOLD = 64;

export interface PostgresIdentityOptions {
  /** Two sessions at most: one for the look at the version, one for questions. */
  readonly pool: pg.Pool;
  readonly schema: string;
  readonly onError?: (error: unknown) => void;
}

interface VersionRow {
  readonly incarnation: string;
  readonly epoch: string;
}

interface FoundRow extends VersionRow {
  readonly id: string | null;
  readonly kind: 'person' | 'service';
  readonly scopes: string[];
  readonly nodes: string[] | null;
  readonly channels: string[] | null;
  readonly key_scopes: string[] | null;
  readonly key_nodes: string[] | null;
  readonly key_channels: string[] | null;
  readonly expires_at: Date | null;
}

export class PostgresIdentity implements IdentitySource {
  readonly #pool: pg.Pool;
  readonly #at: string;
  readonly #onError: (error: unknown) => void;

  constructor({ pool, schema, onError = () => undefined }: PostgresIdentityOptions) {
    this.#pool = pool;
    this.#at = pg.escapeIdentifier(schema);
    this.#onError = onError;
  }

  /** In one statement: rights of one moment under the epoch of another would be kept for ever. */
  async ask(question: IdentityQuestion): Promise<IdentityAnswer> {
    const isKey = 'sha256' in question;
    const { rows } = await this.#pool.query<FoundRow>({
      name: isKey ? 'identity-by-key' : 'identity-of-person',
      text: isKey ? this.#byKey() : this.#ofPerson(),
      values: [isKey ? question.sha256 : question.person],
    });
    const [row] = rows;
    if (!row) throw new Error('Broken invariant: the identity has no version');
    return { incarnation: row.incarnation, epoch: Number(row.epoch), found: foundIn(row) };
  }

  watch(onBeat: (beat: IdentityBeat, sentAtMs: number) => void): { stop(): Promise<void> } {
    const stopping = new AbortController();
    const look = async (): Promise<void> => {
      while (!stopping.signal.aborted) {
        const sentAtMs = performance.now();
        try {
          onBeat(await this.#beat(), sentAtMs);
        } catch (error) {
          this.#onError(error);
        }
        await delay(LOOK_EVERY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    };
    const looking = look();
    return {
      stop: () => {
        stopping.abort();
        return looking;
      },
    };
  }

  /** Notes that keys were used today, each by its SHA-256. */
  async noteUse(sha256s: readonly string[]): Promise<void> {
    if (sha256s.length === 0) return;
    const insert = `
      INSERT INTO ${this.#at}.api_key_use AS u (key_sha256, last_used_on)
      SELECT decode(x, 'hex'), (clock_timestamp() AT TIME ZONE 'UTC')::date FROM unnest($1::text[]) AS x ORDER BY 1
      ON CONFLICT (key_sha256) DO UPDATE SET last_used_on = excluded.last_used_on
       WHERE u.last_used_on < excluded.last_used_on`;
    await committing(NOTE_USE, () => this.#pool.query(insert, [[...new Set(sha256s)]]));
  }

  async #beat(): Promise<IdentityBeat> {
    const { rows } = await this.#pool.query<VersionRow & { readonly steps: { epoch: number; principals: string[] }[] }>(
      {
        name: 'identity-version',
        text: `SELECT incarnation, epoch::text,
                    (SELECT coalesce(json_agg(s ORDER BY s.epoch), '[]') FROM
                      (SELECT epoch, principals FROM ${this.#at}.identity_step
                        WHERE epoch > v.epoch - ${STEPS_TOLD} AND epoch <= v.epoch) s) AS steps
               FROM ${this.#at}.identity_version v`,
      },
    );
    const [row] = rows;
    if (!row) throw new Error('Broken invariant: the identity has no version');
    const epoch = Number(row.epoch);
    return { incarnation: row.incarnation, epoch, since: epoch - row.steps.length, touched: row.steps };
  }

  #byKey(): string {
    return `SELECT v.incarnation, v.epoch::text, p.id, p.kind, ${this.#scopesOf()}, p.nodes, p.channels, k.expires_at,
                   k.scopes AS key_scopes, k.nodes AS key_nodes, k.channels AS key_channels
              FROM ${this.#at}.identity_version v
              LEFT JOIN (${this.#at}.api_key k JOIN ${this.#at}.principal p ON p.principal_key = k.principal_key)
                ON k.key_sha256 = decode($1, 'hex') AND k.revoked_at IS NULL AND p.disabled_at IS NULL`;
  }

  #ofPerson(): string {
    return `SELECT v.incarnation, v.epoch::text, p.id, p.kind, ${this.#scopesOf()}, p.nodes, p.channels, NULL AS expires_at,
                   NULL AS key_scopes, NULL AS key_nodes, NULL AS key_channels
              FROM ${this.#at}.identity_version v
              LEFT JOIN ${this.#at}.principal p ON p.id = $1 AND p.kind = 'person' AND p.disabled_at IS NULL`;
  }

  #scopesOf(): string {
    return `ARRAY(SELECT unnest(p.scopes) UNION
                  SELECT unnest(r.scopes) FROM ${this.#at}.principal_role pr JOIN ${this.#at}.role r USING (role_key)
                   WHERE pr.principal_key = p.principal_key) AS scopes`;
  }
}

function foundIn(row: FoundRow): FoundIdentity | null {
  if (row.id === null) return null;
  const { id: principal, kind, scopes, nodes, channels, expires_at: expiresAt } = row;
  const { key_scopes: keyScopes, key_nodes: keyNodes, key_channels: keyChannels } = row;
  const own: Grant = { scopes, nodes, channels };
  const ofKey: Grant = { scopes: keyScopes ?? scopes, nodes: keyNodes, channels: keyChannels };
  return { principal, kind, grants: [own, ofKey], expiresAt };
}
