/** The app's schemas: how they come to be, and what the app may do in them. */
import { catalogTables } from '@onepool/catalog-data-access';
import { apiKeyTables } from '@onepool/platform-auth';
import { messagingTables } from '@onepool/platform-messaging';
import type { SchemaDeclaration } from '@onepool/platform-postgres';
import { stockTables } from '@onepool/stock-data-access';
import { SCHEMA } from './config.ts';

export const schemas: readonly SchemaDeclaration[] = [
  { schema: SCHEMA, parts: [apiKeyTables, messagingTables, catalogTables, stockTables] },
];
