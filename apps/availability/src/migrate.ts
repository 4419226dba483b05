/** Brings the app's schemas up to date: `node dist/migrate.js`, with DATABASE_OWNER_URL and DATABASE_URL. */
import { migrateApp } from '@onepool/platform-app';
import { schemas } from './database.ts';

await migrateApp({ schemas });
