/** The app's schemas: how they come to be, what the app may do in them, and where their facts go. */
import { catalogTables } from '@onepool/catalog-data-access';
import { identityTables } from '@onepool/identity-data-access';
import { STOCK_SCOPE } from '@onepool/contracts';
import type { AppSchema } from '@onepool/platform-app';
import { messagingTables } from '@onepool/platform-messaging';
import { partitionTables } from '@onepool/platform-postgres';
import { stockTables } from '@onepool/stock-data-access';
import { IDENTITY_SCHEMA, PARTITION_COUNT, SCHEMA } from './config.ts';

export const schemas: readonly AppSchema[] = [
  { schema: IDENTITY_SCHEMA, parts: [identityTables] },
  {
    schema: SCHEMA,
    parts: [partitionTables, messagingTables, catalogTables, stockTables],
    outbox: { scope: STOCK_SCOPE, partitionCount: PARTITION_COUNT },
  },
];
