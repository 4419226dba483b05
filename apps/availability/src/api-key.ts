/**
 * Manages API keys: `node dist/api-key.js create --client web-shop --scopes stock:read,reservations:write [--days 90]`.
 * A created key is shown once; only its SHA-256 is stored. It works as DATABASE_OWNER_URL, for the app's role only reads keys.
 */
import { readFile } from 'node:fs/promises';
import Table from 'cli-table3';
import { Command } from 'commander';
import { Type } from '@sinclair/typebox';
import { type ApiKeyRow, ALL_SCOPES, PostgresApiKeyStore, createApiKey, sha256OfApiKey } from '@onepool/platform-auth';
import { AVAILABILITY_SCOPES } from '@onepool/contracts';
import { loadConfig } from '@onepool/platform-config';
import { createPool, explained } from '@onepool/platform-postgres';
import { SCHEMA, ownerAddress, ownerUrls } from './config.ts';

const GRANTS: readonly string[] = [...Object.keys(AVAILABILITY_SCOPES), ALL_SCOPES];
const DAY_MS = 86_400_000;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

function tableOf(keys: readonly ApiKeyRow[]): string {
  const table = new Table({ head: ['client', 'fingerprint', 'scopes', 'expires', 'revoked', 'created'] });
  const time = (at: Date | null): string => at?.toISOString() ?? '–';
  for (const { clientId, fingerprint, scopes, expiresAt, revokedAt, createdAt } of keys) {
    table.push([clientId, fingerprint, scopes.join(', '), time(expiresAt), time(revokedAt), time(createdAt)]);
  }
  return table.toString();
}

async function withStore(work: (store: PostgresApiKeyStore) => Promise<void>): Promise<void> {
  const address = ownerAddress(loadConfig(Type.Object(ownerUrls)));
  const pool = createPool({
    url: address.url,
    max: 1,
    applicationName: 'api-key',
    statementTimeoutMs: 5_000,
    lockTimeoutMs: 5_000,
    idleInTransactionTimeoutMs: 5_000,
    connectTimeoutMs: 5_000,
  });
  try {
    await work(new PostgresApiKeyStore(pool, SCHEMA));
  } catch (error) {
    throw explained(error, address);
  } finally {
    await pool.end();
  }
}

function parseScopes(text: string): string[] {
  return text.split(',').map((scope) => {
    if (!GRANTS.includes(scope)) throw new Error(`Unknown scope ${scope}; known are ${GRANTS.join(', ')}`);
    return scope;
  });
}

const expiry = (days: string | undefined): Date | null =>
  days === undefined ? null : new Date(Date.now() + Number(days) * DAY_MS);

const program = new Command('api-key').description('Creates, registers, lists and revokes API keys.');
program
  .command('create')
  .requiredOption('--client <id>')
  .requiredOption('--scopes <list>', `comma-separated: ${GRANTS.join(', ')}`)
  .option('--days <n>', 'expires after so many days')
  .action(({ client, scopes, days }: { client: string; scopes: string; days?: string }) =>
    withStore(async (store) => {
      const { key, sha256 } = createApiKey();
      await store.register({ clientId: client, sha256, scopes: parseScopes(scopes), expiresAt: expiry(days) });
      say(key);
    }),
  );
program
  .command('register')
  .description('registers the key in a file; repeating it changes nothing')
  .requiredOption('--client <id>')
  .requiredOption('--scopes <list>')
  .requiredOption('--key-file <path>')
  .option('--days <n>')
  .action(({ client, scopes, keyFile, days }: { client: string; scopes: string; keyFile: string; days?: string }) =>
    withStore(async (store) => {
      const sha256 = sha256OfApiKey((await readFile(keyFile, 'utf8')).trim());
      await store.register({ clientId: client, sha256, scopes: parseScopes(scopes), expiresAt: expiry(days) });
      say(`registered a key of ${client}`);
    }),
  );
program.command('list').action(() => withStore(async (store) => say(tableOf(await store.list()))));
program
  .command('revoke')
  .requiredOption('--client <id>')
  .option('--fingerprint <hex>', 'only the key whose SHA-256 begins so')
  .action(({ client, fingerprint }: { client: string; fingerprint?: string }) =>
    withStore(async (store) => say(`revoked ${await store.revoke(client, fingerprint)} keys`)),
  );

await program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
