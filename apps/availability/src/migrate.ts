/** Brings the app's schema up to date and ends: `node dist/migrate.js` with DATABASE_URL. */
import { Type } from '@sinclair/typebox';
import { loadConfig, secret } from '@onepool/platform-config';
import { runMigrations } from '@onepool/platform-postgres';
import { SCHEMA } from './config.ts';
import { migrations } from './migrations/index.ts';

const { DATABASE_URL } = loadConfig(Type.Object({ DATABASE_URL: secret(Type.String({ minLength: 1 })) }));
const applied = await runMigrations({ url: DATABASE_URL, schema: SCHEMA, migrations });
process.stdout.write(applied.length > 0 ? `migrated: ${applied.join(', ')}\n` : 'schema is up to date\n');
