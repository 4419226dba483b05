/**
 * The roles of our own PostgreSQL and its database (ADR 0015): who owns the schemas, and who apps work as. The passwords in
 * the home are what counts; the app's role is given the one that stands there.
 */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';

/** The cluster's superuser, and the name of the database. */
export const OWNER = 'onepool';
const APP = 'onepool_app';
const PASSWORD_FILES = { owner: 'postgres-password', app: 'postgres-app-password' };
/** Below the home; only its owner may read them. */
export const POSTGRES_PASSWORD_FILES: readonly string[] = Object.values(PASSWORD_FILES);

const WRONG_PASSWORD = '28P01';
const CONNECT_TIMEOUT_MS = 10_000;

export interface Passwords {
  readonly owner: string;
  readonly app: string;
}

export async function readOrCreatePasswords(home: string): Promise<Passwords> {
  const [owner, app] = [PASSWORD_FILES.owner, PASSWORD_FILES.app].map((name) => readOrCreate(join(home, name)));
  return { owner: (await owner) ?? '', app: (await app) ?? '' };
}

async function readOrCreate(file: string): Promise<string> {
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return known.trim();
  const password = randomBytes(24).toString('hex');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** Makes what is not there yet, on a server that answers, and says how both roles reach the database. */
export async function makeDatabaseAndRoles(
  port: number,
  passwords: Passwords,
): Promise<{ readonly url: string; readonly ownerUrl: string }> {
  const urlOf = (role: string, password: string, database: string): string =>
    `postgres://${role}:${password}@127.0.0.1:${port}/${database}`;
  const [url, ownerUrl] = [urlOf(APP, passwords.app, OWNER), urlOf(OWNER, passwords.owner, OWNER)];
  await withClient(urlOf(OWNER, passwords.owner, 'postgres'), async (client) => {
    const exists = async (sql: string, name: string): Promise<boolean> =>
      (await client.query(sql, [name])).rowCount !== 0;
    if (!(await exists('SELECT FROM pg_database WHERE datname = $1', OWNER)))
      await client.query(`CREATE DATABASE ${OWNER}`);
    const isThere = await exists('SELECT FROM pg_roles WHERE rolname = $1', APP);
    if (isThere && (await isLetIn(url))) return;
    const verb = isThere ? 'ALTER' : 'CREATE';
    await client.query(`${verb} ROLE ${APP} LOGIN PASSWORD ${pg.escapeLiteral(passwords.app)}`);
  });
  return { url, ownerUrl };
}

/** False only when the password is wrong; a server that is too busy for another session has looked at it. */
async function isLetIn(url: string): Promise<boolean> {
  return withClient(url, async () => undefined).then(
    () => true,
    (error: unknown) => !(error instanceof pg.DatabaseError && error.code === WRONG_PASSWORD),
  );
}

async function withClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  try {
    await client.connect();
    await work(client);
  } finally {
    await client.end();
  }
}
