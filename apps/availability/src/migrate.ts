/**
 * Brings the app's schema up to date, gives the app's role its rights, and ends: `node dist/migrate.js` with
 * DATABASE_OWNER_URL, who owns the schema, and DATABASE_URL, whom the app logs in as.
 */
import { Type } from '@sinclair/typebox';
import { loadConfig, runProgram } from '@onepool/platform-config';
import { runMigrations } from '@onepool/platform-postgres';
import { ownerAddress, ownerUrls } from './config.ts';
import { database } from './database.ts';

await runProgram(async () => {
  const addresses = loadConfig(Type.Object(ownerUrls));
  const { applied, role, grants, warning } = await runMigrations({
    url: ownerAddress(addresses).url,
    schema: database.schema,
    migrations: database.migrations,
    runtime: { url: addresses.DATABASE_URL, rights: database.rights },
  });
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(applied.length > 0 ? `migrated: ${applied.join(', ')}` : 'schema is up to date');
  if (grants.length > 0) say(`granted to ${role}: ${grants.length} changes of rights`);
  if (warning !== undefined) say(`warning: ${warning}`);
});
