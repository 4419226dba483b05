/**
 * Looks after principals, roles and API keys: `node dist/identity.js keys add web-shop --scopes stock:read`, or
 * `npm run onepool -- keys …` for the system that `npm start` runs. It works as DATABASE_OWNER_URL, for the app's role only
 * reads them.
 */
import { IdentityAdmin } from '@onepool/identity-data-access';
import { OWNER_SETTINGS, ownerAddress } from '@onepool/platform-app';
import { loadConfig, runProgram } from '@onepool/platform-config';
import { createPool, explained } from '@onepool/platform-postgres';
import { Type } from '@sinclair/typebox';
import { IDENTITY_SCHEMA } from './config.ts';
import { identityProgram } from './identity/identity-program.ts';

async function withAdmin<T>(work: (admin: IdentityAdmin) => Promise<T>): Promise<T> {
  const address = ownerAddress(loadConfig(Type.Object(OWNER_SETTINGS)));
  const pool = createPool({
    url: address.url,
    max: 1,
    applicationName: 'identity',
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
  });
  try {
    return await work(new IdentityAdmin(pool, IDENTITY_SCHEMA));
  } catch (error) {
    throw explained(error, address);
  } finally {
    await pool.end();
  }
}

await runProgram(async () => {
  await identityProgram({ withAdmin, print: (text) => void process.stdout.write(`${text}\n`) }).parseAsync();
});
