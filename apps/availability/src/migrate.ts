/**
 * Brings the app's schemas up to date, gives the app's role its rights, and ends: `node dist/migrate.js` with
 * DATABASE_OWNER_URL, who owns the schemas, and DATABASE_URL, whom the app logs in as.
 */
import { Type } from '@sinclair/typebox';
import { loadConfig, runProgram } from '@onepool/platform-config';
import { runMigrations } from '@onepool/platform-postgres';
import { ownerAddress, ownerUrls } from './config.ts';
import { schemas } from './database.ts';

await runProgram(async () => {
  const addresses = loadConfig(Type.Object(ownerUrls));
  const { url } = ownerAddress(addresses);
  const reports = await runMigrations({ url, schemas, runtimeUrl: addresses.DATABASE_URL });
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  for (const { schema, applied, role, grants, warning } of reports) {
    say(applied.length > 0 ? `${schema}: migrated ${applied.join(', ')}` : `${schema}: up to date`);
    if (grants.length > 0) say(`${schema}: granted to ${role}: ${grants.length} changes of rights`);
    if (warning !== undefined) say(`warning: ${warning}`);
  }
});
