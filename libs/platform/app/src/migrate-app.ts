import { Type } from '@sinclair/typebox';
import { loadConfig, runProgram } from '@onepool/platform-config';
import { type SchemaDeclaration, runMigrations } from '@onepool/platform-postgres';
import { OWNER_SETTINGS, ownerAddress } from './kit-settings.ts';

/**
 * Brings an app's schemas up to date, gives the app's role its rights, and ends: the whole of an app's `migrate.ts`. It works
 * as DATABASE_OWNER_URL, who owns the schemas, for DATABASE_URL, whom the app logs in as.
 */
export async function migrateApp({ schemas }: { readonly schemas: readonly SchemaDeclaration[] }): Promise<void> {
  await runProgram(async () => {
    const addresses = loadConfig(Type.Object(OWNER_SETTINGS));
    const { url } = ownerAddress(addresses);
    const reports = await runMigrations({ url, schemas, runtimeUrl: addresses.DATABASE_URL });
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    for (const { schema, applied, role, grants, warning } of reports) {
      say(applied.length > 0 ? `${schema}: migrated ${applied.join(', ')}` : `${schema}: up to date`);
      if (grants.length > 0) say(`${schema}: granted to ${role}: ${grants.length} changes of rights`);
      if (warning !== undefined) say(`warning: ${warning}`);
    }
  });
}
