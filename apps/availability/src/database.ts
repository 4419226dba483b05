/** The app's schemas: how they come to be, and what the app may do in them. */
import { catalogTables } from '@onepool/catalog-data-access';
import { identityTables } from '@onepool/identity-data-access';
import { messagingTables } from '@onepool/platform-messaging';
import { type SchemaDeclaration, partitionTables } from '@onepool/platform-postgres';
import { stockTables } from '@onepool/stock-data-access';
import { IDENTITY_SCHEMA, SCHEMA } from './config.ts';

export const schemas: readonly SchemaDeclaration[] = [
  { schema: IDENTITY_SCHEMA, parts: [identityTables] },
  { schema: SCHEMA, parts: [partitionTables, messagingTables, catalogTables, stockTables] },
];
