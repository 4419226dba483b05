/** Who the app logs in as. */
import { OperatorError } from '@onepool/platform-config';
import pg from 'pg';
import { type Address, explained, partsOf, sqlStateOf } from './operator-sentences.ts';
import { scramVerifier } from './scram-verifier.ts';
import { withClient } from './with-client.ts';

/** A wrong password, no such role; of a pooler: a user that it does not know. */
const NOT_LET_IN = new Set(['28P01', '28000', '08P01']);
/** The role may not CONNECT, which is mended by granting it. */
const MAY_NOT_CONNECT = '42501';
/** Somebody else has made the role meanwhile. */
const EXISTS = new Set(['42710', '23505']);
const MAY_NOT_CREATE = '42501';

/**
 * The role that sessions of `runtime` work as. It is asked for, since a pooler or a setting of the role may make another of
 * the user that the address names. If nobody is let in and that user does not exist, `owner` makes it, with the address's
 * password; the password of one that exists is never touched. `owner` is in a transaction: a role that it makes goes with
 * it if that fails, and cannot be asked before it ends, so it is taken to work as itself.
 *
 * @throws OperatorError
 */
export async function findOrMakeRole(owner: pg.ClientBase, runtime: Address): Promise<string> {
  const { user = '' } = partsOf(runtime);
  try {
    return await askRole(runtime);
  } catch (error) {
    const code = sqlStateOf(error) ?? '';
    if (code === MAY_NOT_CONNECT) return user;
    if (!NOT_LET_IN.has(code)) throw explained(error, runtime);
  }
  const { rowCount } = await owner.query('SELECT FROM pg_roles WHERE rolname = $1', [user]);
  if (rowCount === 0 && (await makeRole(owner, runtime))) return user;
  // Another app's migrate has made it since we were not let in, or only its password is wrong.
  return askRole(runtime).catch((error: unknown) => {
    if (sqlStateOf(error) === MAY_NOT_CONNECT) return user;
    throw explained(error, runtime);
  });
}

const askRole = ({ url }: Address): Promise<string> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ role: string }>('SELECT current_user AS role');
    return rows[0]?.role ?? '';
  });

/** False when somebody else has made it meanwhile. */
async function makeRole(owner: pg.ClientBase, runtime: Address): Promise<boolean> {
  const { user = '', password } = partsOf(runtime);
  const role = pg.escapeIdentifier(user);
  const secret = password ? ` PASSWORD ${pg.escapeLiteral(scramVerifier(password))}` : '';
  await owner.query('SAVEPOINT before_role');
  try {
    await owner.query(`CREATE ROLE ${role} LOGIN${secret}`);
    return true;
  } catch (cause) {
    const code = sqlStateOf(cause) ?? '';
    if (EXISTS.has(code)) {
      await owner.query('ROLLBACK TO SAVEPOINT before_role');
      return false;
    }
    if (code !== MAY_NOT_CREATE) throw cause;
    throw new OperatorError(
      `The role ${user} of ${runtime.setting} does not exist and may not be made by this one: have a database administrator run ` +
        `CREATE ROLE ${role} LOGIN PASSWORD '…'; with the password of ${runtime.setting}, then migrate again. Nothing was changed.`,
      { cause },
    );
  }
}
